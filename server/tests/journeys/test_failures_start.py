"""Several processes that begin with the same directory or database at the same moment."""

import json
import subprocess
import threading
import time

import httpx
from installation import MODULE, PASSWORD, Installation
from postgres import create_database
from storm import Storm, check_nothing_lost, eventually


def begin(*arguments, env):
    return subprocess.Popen([*MODULE, *map(str, arguments)], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_of_two_servers_on_a_fresh_directory_one_serves_and_the_other_says_why_not(tmp_path):
    sites = [Installation(tmp_path / "data"), Installation(tmp_path / "data")]
    started = [begin("serve", "--data-dir", site.data_dir, "--port", site.port, env=site.env) for site in sites]
    try:
        loser = eventually(lambda: next((server for server in started if server.poll() is not None), None), seconds=30)
        winner = next(server for server in started if server is not loser)
        told = loser.stderr.read().decode()
        assert loser.returncode == 1
        assert "already holds" in told
        assert "Traceback" not in told
        link = next(
            word for line in iter(winner.stdout.readline, b"") for word in line.decode().split() if "/welcome/" in word
        )
        assert httpx.get(link).status_code == 200
    finally:
        for server in started:
            server.terminate()
            server.communicate()


def test_setup_may_run_while_the_server_makes_its_databases(tmp_path):
    site = Installation(tmp_path / "data")
    setup = [
        "setup", "--data-dir", site.data_dir, "--url", site.url, "--email", "alice@example.com", "--password", PASSWORD,
        "--project", "Shop", "--json",
    ]  # fmt: skip
    server = begin("serve", "--data-dir", site.data_dir, "--port", site.port, env=site.env)
    setups = [begin(*setup, env=site.env) for _ in range(2)]
    try:
        printed = [process.communicate() for process in setups]
        assert [process.returncode for process in setups] == [0, 0], printed
        first, second = (json.loads(out) for out, _ in printed)
        assert first == second
        site.keys = first
        eventually(lambda: answers(site), seconds=30)
        with Storm(site, 10, rate_per_s=100) as storm:
            pass
        assert storm.outcome.codes == {"200": 10}
        check_nothing_lost(site, storm.acked)
    finally:
        server.terminate()
        server.communicate()


def answers(site):
    try:
        return httpx.get(f"{site.url}/login/").status_code == 200
    except httpx.TransportError:
        return False


def test_two_nodes_may_start_on_one_empty_postgres(tmp_path, postgres):
    env = {"DATABASE_URL": create_database(postgres.url("daytwo"), "empty")}
    sites = [Installation(tmp_path / name, env=env) for name in ("here", "there")]
    threads = [threading.Thread(target=site.start) for site in sites]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        assert [site.get("/api/health")["status"] for site in sites] == ["healthy", "healthy"]
        for site in sites:
            assert "Traceback" not in site.log.read_text()
    finally:
        for site in sites:
            site.stop()


def test_migrate_beside_a_running_server_disturbs_nobody(shop):
    site = shop()
    site.start()
    with Storm(site, 600, rate_per_s=300) as storm:
        for _ in range(2):
            done = subprocess.run([*MODULE, "migrate", "--data-dir", site.data_dir], env=site.env, capture_output=True)
            assert done.returncode == 0
            assert b"Nothing to do" in done.stdout
            time.sleep(0.1)
    assert storm.outcome.codes == {"200": 600}
    check_nothing_lost(site, storm.acked)
