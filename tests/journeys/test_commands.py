"""The command line as an operator uses it: on our own database, and on any other."""

import json
from pathlib import Path

import httpx2
import psycopg
import pytest
from tests.kernel.foreign_postgres import foreign_postgres, reachable_folder
from tests.process import ServerProcess, server_process
from tests.world import PASSWORD

from quintet.kernel.postgres import Cluster


@pytest.mark.soak
def test_an_operators_day() -> None:
    """An admin, a backup of the running server, its proof, and a restore elsewhere with a new epoch."""
    with server_process() as server:
        made = server.run(
            "admin", "create", "--email", "ada@example.com", "--username", "ada", "--password", PASSWORD
        )
        assert made.returncode == 0, made.stderr
        again = server.run(
            "admin", "create", "--email", "ada@example.com", "--username", "b", "--password", PASSWORD
        )
        assert again.returncode == 1
        assert "Traceback" not in again.stderr
        login = {"username": "ada", "password": PASSWORD}
        signed_in = httpx2.post(f"{server.url}/auth/login", json=login).json()
        assert signed_in["user"]["role"] == "admin"
        headers = {"Authorization": f"Bearer {signed_in['access_token']}"}
        body = {"id": "heat", "title": "Heat", "kind": "film"}
        assert httpx2.post(f"{server.url}/api/titles", json=body, headers=headers).status_code == 201
        epoch = httpx2.get(f"{server.url}/api/titles/heat").headers["room-seq"].partition(":")[0]

        second = server.run("serve", "--port", "0")
        assert second.returncode == 1
        assert str(server.pid) in second.stderr
        examined = server.run("doctor")
        assert examined.returncode == 0, examined.stderr
        target = str(server.data.parent / "kept")
        assert server.run("backup", target).returncode == 0
        assert server.run("verify", target).returncode == 0
        assert server.run("restore", target).returncode == 1  # never over somebody's data

        copy = ServerProcess(server.data.parent / "copy")
        assert copy.run("restore", target).returncode == 0
        copy.start()
        try:
            copy.wait_until_ready()
            restored = httpx2.get(f"{copy.url}/api/titles/heat")
            assert restored.json()["title"] == "Heat"
            assert restored.headers["room-seq"].partition(":")[0] != epoch
            assert httpx2.post(f"{copy.url}/auth/login", json=login).status_code == 200
        finally:
            copy.stop()


@pytest.mark.soak
def test_old_marks_are_imported_while_the_server_runs() -> None:
    with server_process() as server:
        signed_up = {"email": "ada@example.com", "username": "ada", "password": PASSWORD}
        token = httpx2.post(f"{server.url}/auth/signup", json=signed_up).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        body = {"id": "heat", "title": "Heat", "kind": "film"}
        assert httpx2.post(f"{server.url}/api/titles", json=body, headers=headers).status_code == 201
        file = server.data.parent / "points.csv"
        line = "ada@example.com,heat,37.5,2\n"
        file.write_text(f"user_email,title_id,position_pct,rating\n{line}ben@example.com,heat,1,1\n")
        partly = server.run("wigg", "import", str(file))
        assert partly.returncode == 1
        assert "line 3: no account has this id, e-mail address or name: ben@example.com" in partly.stderr
        assert "1 marks: 1 created, 0 merged into others, 0 known already; 1 bad lines" in partly.stderr
        file.write_text(f"user_email,title_id,position_pct,rating\n{line}")
        again = server.run("wigg", "import", str(file))
        assert (again.returncode, "1 known already; 0 bad lines" in again.stderr) == (0, True)
        own = httpx2.get(f"{server.url}/api/titles/heat/wiggs", headers=headers).json()["entries"]
        assert [(entry["pct"], entry["rating"]) for entry in own] == [(37.5, 2)]
        rebuilt = server.run("wigg", "rebuild")
        assert (rebuilt.returncode, "1 curves, 0 had drifted" in rebuilt.stderr) == (0, True)
        missing = server.run("wigg", "import", str(file) + "x")
        assert missing.returncode
        assert "Traceback" not in missing.stderr + missing.stdout
        assert "wigg_points" in server.run("wigg", "import", "--help").stdout


@pytest.mark.soak
def test_any_other_postgresql() -> None:
    """A server with a password over TCP, and an owner who is no superuser."""
    with reachable_folder() as folder, foreign_postgres(folder) as url:
        server = ServerProcess(folder / "data", QUINTET_DATABASE_URL=url)
        assert server.run("migrate").returncode == 0
        assert "nothing to apply" in server.run("migrate").stderr
        server.start()
        try:
            server.wait_until_ready()
            body = {"email": "ada@example.com", "username": "ada", "password": PASSWORD}
            assert httpx2.post(f"{server.url}/auth/signup", json=body).status_code == 201
        finally:
            assert server.stop() == 0
        assert not server.data.exists() or not (server.data / "postgres").exists()
        assert url not in server.log.read_text()
        target = str(folder / "kept")
        kept = server.run("backup", target)
        assert kept.returncode == 0, kept.stderr
        assert server.run("verify", target).returncode == 0


def test_the_doctor_refuses_a_database_without_letters() -> None:
    with reachable_folder() as folder, Cluster.open(folder / "elsewhere") as theirs:
        with psycopg.connect(theirs.dsn_for("postgres"), autocommit=True) as connection:
            connection.execute("create database plain template template0 locale_provider libc locale 'C'")
        server = ServerProcess(folder / "data", QUINTET_DATABASE_URL=theirs.dsn_for("plain"))
        assert server.run("migrate").returncode == 0
        examined = server.run("doctor")
        assert examined.returncode == 1
        assert "C.UTF-8" in examined.stderr
        assert "Traceback" not in examined.stderr


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"QUINTET_PROT": "8000"}, "QUINTET_PROT"),
        ({"QUINTET_PORT": "http"}, "QUINTET_PORT"),
        ({"QUINTET_LIMIT_PLACE": "many"}, "QUINTET_LIMIT_PLACE"),
        ({"QUINTET_ENV": "production"}, "QUINTET_PUBLIC_URL"),
        ({"QUINTET_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "database"),
    ],
)
def test_a_start_that_cannot_be_says_why(environment: dict[str, str], said: str) -> None:
    with reachable_folder() as folder:
        server = ServerProcess(folder / "data", **environment)
        refused = server.run("serve", "--port", str(server.port))
        assert refused.returncode == 1, refused.stdout
        assert said in refused.stderr.replace("\n", ""), refused.stderr
        assert "Traceback" not in refused.stderr + refused.stdout


def test_a_port_that_is_taken_is_named() -> None:
    with server_process() as server, reachable_folder() as folder:
        other = ServerProcess(folder / "data")
        refused = other.run("serve", "--port", str(server.port))
        assert refused.returncode == 1
        assert str(server.port) in refused.stderr


@pytest.mark.soak
def test_a_start_after_kill_9_adopts_the_database() -> None:
    with server_process() as server:
        postmaster = server.postmaster_pid()
        server.kill()
        assert Path(f"/proc/{postmaster}").exists()
        server.start()
        server.wait_until_ready()
        assert server.postmaster_pid() == postmaster
        lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
        assert [line["event"] for line in lines].count("serving") == 2
