"""Which names announce a secret, and which only sound like it."""

from __future__ import annotations

import pytest

from daytwo_server.errors.scrub import scrub

SECRET = """
password PASSWD db_password userPassword mypasswordfield password1 user[password_confirmation] passphrase pwd MYSQL_PWD
DB_PASS pass X-Api-Key x_api_key apikey APIKey stripeSecretKey AWS_SECRET_ACCESS_KEY AWS_ACCESS_KEY_ID private_key
SECRET_KEY encryption_key signingKey SharedAccessKey session_key access_token refreshToken csrftoken id_token
csrfmiddlewaretoken X-CSRFToken XSRF-TOKEN x-amz-security-token SENTRY_AUTH_TOKEN authtoken jwt Authorization
Proxy-Authorization HTTP_AUTHORIZATION b'authorization' auth basic_auth credentials cookie Set-Cookie sessionid
session session_id PHPSESSID connect.sid card cardNumber card[number] creditCard cvv cvc ssn iban cc_number
bank_account_number otp pin mfa_code connection_string ConnectionString client_secret Stripe-Signature api_keys
""".split()  # noqa: SIM905 - a hundred lines otherwise

HARMLESS = """
author authors keyboard monkey key keys public_key sentry_key primary_key cache_key idempotency_key client_key
tokenizer tokenizer_count tokenize token_type token_count sessions sessions_total session_count session_duration
secretary discard dashboard wildcard card_brand cardinality passenger compass bypass passed pass_rate
password_validators AUTH_USER_MODEL authenticated auth_backends user_id pinned spinner panel design signal
sec-fetch-mode SSH_AUTH_SOCK
""".split()  # noqa: SIM905 - a hundred lines otherwise

PLANTED = "zq7Ploverzq7"


@pytest.mark.parametrize("name", SECRET)
def test_a_value_under_a_secret_name_is_filtered(name):
    event, hidden = scrub({"extra": {name: PLANTED, "beside": "stays"}})
    assert event["extra"] == {name: "[Filtered]", "beside": "stays"}
    assert hidden == 1


@pytest.mark.parametrize("name", HARMLESS)
def test_a_name_that_only_sounds_secret_keeps_its_value(name):
    assert scrub({"extra": {name: PLANTED}}) == ({"extra": {name: PLANTED}}, 0)


@pytest.mark.parametrize("name", ["internalId", "my_internal_id", "X-Internal-ID"])
def test_a_project_can_name_its_own_secrets_in_any_spelling(name):
    assert scrub({"tags": {name: PLANTED}}, extra_keys=["internal-id"])[0] == {"tags": {name: "[Filtered]"}}
    assert scrub({"tags": {name: PLANTED}})[1] == 0


def test_the_shape_under_a_secret_name_stays_and_every_value_goes():
    card = {"number": 4111, "holder": {"name": PLANTED}, "tries": [PLANTED, None, True]}
    assert scrub({"extra": {"card": card}}) == (
        {
            "extra": {
                "card": {"number": "[Filtered]", "holder": {"name": "[Filtered]"}, "tries": ["[Filtered]", None, True]}
            }
        },
        3,
    )


@pytest.mark.parametrize(
    "value", [None, True, "None", "", "''", "[Filtered]", "<myapp.models.Session object at 0x7f1a>"]
)
def test_whether_there_was_a_secret_at_all_can_still_be_seen(value):
    assert scrub({"extra": {"session": value}}) == ({"extra": {"session": value}}, 0)


def test_a_number_of_tokens_is_no_token():
    used = {"prompt_tokens": 512, "max_tokens": "4096"}
    assert scrub({"extra": dict(used)}) == ({"extra": used}, 0)
    assert scrub({"extra": {"tokens": [PLANTED]}})[0] == {"extra": {"tokens": ["[Filtered]"]}}
    assert scrub({"extra": {"pin": 4711}})[0] == {"extra": {"pin": "[Filtered]"}}


def test_pairs_and_labelled_values_are_judged_like_entries():
    event, hidden = scrub({
        "request": {"headers": [["X-Api-Key", PLANTED], ["Host", "x.example.com"]]},
        "extra": {"form": [{"name": "password", "value": PLANTED}], "asgi": [["b'cookie'", f"b'{PLANTED}'"]]},
    })  # fmt: skip
    assert PLANTED not in str(event)
    assert event["request"]["headers"][1] == ["Host", "x.example.com"]
    assert hidden == 3


def test_command_line_arguments_are_read_as_such():
    argv = ["deploy", "--token", PLANTED, "--region=eu", f"--db-password={PLANTED}", "--verbose", "yes"]
    event, _ = scrub({"extra": {"sys.argv": argv, "line": f"mysql --password {PLANTED} -h db"}})
    assert PLANTED not in str(event)
    assert event["extra"]["sys.argv"][-2:] == ["--verbose", "yes"]
    assert event["extra"]["line"].endswith("-h db")


def test_a_whole_process_environment_loses_its_secrets_and_keeps_the_rest():
    environment = {
        "PATH": "/usr/bin:/bin",
        "PWD": "/app",
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "DATABASE_URL": f"postgres://shop:{PLANTED}@db.internal:5432/shop",
        "AWS_SECRET_ACCESS_KEY": PLANTED,
        "GITHUB_TOKEN": PLANTED,
        "PWD_COPY": PLANTED,
        "SMTP_PASS": PLANTED,
        "SSH_AUTH_SOCK": "/tmp/agent",
    }
    event, hidden = scrub({"extra": {"environ": dict(environment), "env": [f"SECRET_KEY={PLANTED} x,y", "PWD=/app"]}})
    assert PLANTED not in str(event)
    assert " x,y" not in str(event)
    assert hidden == 6
    kept = event["extra"]["environ"]
    assert kept["DATABASE_URL"] == "postgres://shop:[Filtered]@db.internal:5432/shop"
    assert {n: kept[n] for n in ("PATH", "PWD", "HOME", "LANG", "SSH_AUTH_SOCK")} == {
        n: environment[n] for n in ("PATH", "PWD", "HOME", "LANG", "SSH_AUTH_SOCK")
    }
    assert event["extra"]["env"][1] == "PWD=/app"


def test_of_a_cookie_the_name_stays():
    event, _ = scrub({"request": {"cookies": [["sessionid", PLANTED], ["theme", "dark"]]}})
    assert event["request"]["cookies"] == [["sessionid", "[Filtered]"], ["theme", "[Filtered]"]]


def test_versions_of_packages_with_secret_names_stay():
    modules = {"secretstorage": "3.3.3", "django-token-auth": "1.0", "pytest": "9.0"}
    assert scrub({"modules": dict(modules)}) == ({"modules": modules}, 0)


def test_what_grouping_rests_on_is_never_altered():
    exception = {"type": "password=hunter2", "module": "shop.token=x", "stacktrace": {"frames": [
        {"function": "token=abc", "module": "api_key=x", "filename": "password.py", "lineno": 4},
    ]}}  # fmt: skip
    event = {"exception": {"values": [exception]}, "release": "token=abc", "event_id": "0" * 32}
    assert scrub(event)[1] == 0
    assert event["exception"]["values"][0]["stacktrace"]["frames"][0]["function"] == "token=abc"
