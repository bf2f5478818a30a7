"""Flags beside UnleashClient and GrowthBook: one flag, a plan and half of all users, by user id; in one process, in turns.

What is asked is what an app calls; the peers are fed as their own documentation says, without a
server. The hand-written function does just this and counts nothing. Microseconds, the best of 15 rounds.
"""

import json
import os
import sys
import tempfile
import time

ROUNDS, TURNS = 15, 5
USERS = [f"user_{number}" for number in range(1000)]
PLANS = ["pro", "enterprise"]
KEY = "new-checkout"


def ours():
    from daytwo import flags

    flags.configure(bootstrap={"format": 1, "flags": [
        {"key": KEY, "revision": 1, "enabled": True, "allowedPlans": PLANS, "rolloutPercentage": 50},
    ]})  # fmt: skip
    enabled = flags.enabled

    def ask():
        return sum([enabled(KEY, user=user, plan="pro") for user in USERS])

    return ask


def ours_with_rules():
    """The longest way: overrides, a rule that does not match, a split."""
    from daytwo import flags

    client = flags.Client()
    client.configure(bootstrap={"format": 1, "flags": [{
        "key": KEY, "revision": 1, "enabled": True, "allowedPlans": PLANS, "rolloutPercentage": 50,
        "overrides": [{"userId": "dana", "enabled": True}, {"organizationId": "o1", "enabled": True}],
        "rules": [{"conditions": [{"attribute": "country", "operator": "in", "values": ["SE"]}], "variant": "off"}],
        "split": [{"variant": "on", "weight": 90}, {"variant": "off", "weight": 10}],
    }]})  # fmt: skip
    enabled = client.enabled

    def ask():
        return sum([enabled(KEY, user=user, organization="o2", plan="pro", country="NO") for user in USERS])

    return ask


def by_hand():
    from mmh3 import mmh3_32_uintdigest as murmur

    salted, plans = KEY.encode() + b":", frozenset(PLANS)

    def is_on(user, plan):
        return plan in plans and murmur(salted + user.encode()) % 100 < 50

    def ask():
        return sum([is_on(user, "pro") for user in USERS])

    return ask


def by_hand_counted():
    """With what the others do as well: a reason, and a count for each answer."""
    from mmh3 import mmh3_32_uintdigest as murmur

    salted, plans, counts = KEY.encode() + b":", frozenset(PLANS), {}

    def is_on(user, plan):
        if plan not in plans:
            found, reason = False, "TARGETING_MATCH"
        else:
            found, reason = murmur(salted + user.encode()) % 100 < 50, "SPLIT"
        counts[KEY, found, reason] = counts.get((KEY, found, reason), 0) + 1
        return found, reason

    def ask():
        return sum([is_on(user, "pro")[0] for user in USERS])

    return ask


def unleash():
    from UnleashClient import UnleashClient
    from UnleashClient.cache import FileCache

    constraint = {"contextName": "plan", "operator": "IN", "values": PLANS}
    strategy = {
        "name": "flexibleRollout", "constraints": [constraint],
        "parameters": {"rollout": "50", "stickiness": "userId", "groupId": KEY},
    }  # fmt: skip
    feature = {"name": KEY, "type": "release", "enabled": True, "strategies": [strategy]}
    cache = FileCache("bench", directory=tempfile.mkdtemp(prefix="daytwo-bench-unleash-"))
    cache.bootstrap_from_dict({"version": 2, "features": [feature]})
    client = UnleashClient(
        "http://127.0.0.1:9/api", "bench", cache=cache, disable_metrics=True, disable_registration=True
    )
    client.initialize_client(fetch_toggles=False)
    contexts = [{"userId": user, "properties": {"plan": "pro"}} for user in USERS]

    def ask():
        return sum([client.is_enabled(KEY, context) for context in contexts])

    return ask


def growthbook():
    from growthbook import GrowthBook

    rule = {"condition": {"plan": {"$in": PLANS}}, "force": True, "coverage": 0.5, "hashAttribute": "id"}
    shared = GrowthBook(features={KEY: {"defaultValue": False, "rules": [rule]}})
    contexts = [{"id": user, "plan": "pro"} for user in USERS]

    def ask():
        found = 0
        for context in contexts:
            shared.set_attributes(context)
            found += shared.is_on(KEY)
        return found

    return ask


def compile_thousand():
    """Milliseconds for a snapshot of 1,000 flags, each with a split and a rule of two conditions."""
    from daytwo.flags import Ruleset

    conditions = [
        {"attribute": "email", "operator": "str_ends_with", "values": ["@shop.example"]},
        {"attribute": "age", "operator": "num_gte", "values": [18]},
    ]
    split = [{"variant": "on", "weight": 33.3}, {"variant": "off", "weight": 66.7}]
    flags = [
        {"key": f"flag-{number}", "enabled": True, "split": split, "allowedPlans": PLANS,
         "rules": [{"conditions": conditions, "variant": "on", "rolloutPercentage": 12.5}]}
        for number in range(1000)
    ]  # fmt: skip
    best = float("inf")
    for _ in range(5):
        begun = time.thread_time()
        Ruleset({"format": 1, "flags": flags})
        best = min(best, (time.thread_time() - begun) * 1000)
    return best


def main() -> None:
    asked = {"daytwo": ours(), "hand": by_hand(), "hand_counted": by_hand_counted(), "rules": ours_with_rules(),
             "unleash": unleash(), "growthbook": growthbook()}  # fmt: skip
    shares = {name: ask() for name, ask in asked.items()}
    assert shares["daytwo"] == shares["hand"] == shares["unleash"], shares
    best = dict.fromkeys(asked, float("inf"))
    for _ in range(ROUNDS):
        for name, ask in asked.items():
            turns = 1 if name in {"unleash", "growthbook"} else TURNS
            begun = time.thread_time()
            for _ in range(turns):
                ask()
            best[name] = min(best[name], (time.thread_time() - begun) / turns / len(USERS) * 1e6)
    print(json.dumps({
        "flag evaluation": "us", **{name: round(took, 3) for name, took in best.items()},
        "x_unleash": round(best["unleash"] / best["daytwo"], 1),
        "x_growthbook": round(best["growthbook"] / best["daytwo"], 1),
        "percent_of_hand": round(best["hand"] / best["daytwo"] * 100),
        "percent_of_hand_counted": round(best["hand_counted"] / best["daytwo"] * 100),
    }))  # fmt: skip
    print(json.dumps({"compile 1,000 flags": "ms", "daytwo": round(compile_thousand(), 1)}))
    sys.stdout.flush()
    os._exit(0)  # UnleashClient leaves threads behind that take their time


if __name__ == "__main__":
    main()
