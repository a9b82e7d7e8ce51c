"""Real PostgreSQL, MariaDB and Redis servers on loopback, each with a port and a data directory of its own.

Debian's own services are left alone: what is started here ends here. `python -m tests.prepare` installs what is missing
where it may.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.prepare import no_server
from tests.prepare import server_program

PASSWORD = "p@ss/w:rd %41?#"
QUOTED_PASSWORD = "p%40ss%2Fw%3Ard%20%2541%3F%23"
PATIENCE = 60
"""Seconds after which a server that does not answer fails the test."""


class Server:
    """One server. `start` it once; `stop` and `start` again keep what it stores."""

    name = None
    account = None
    """Who it runs as when root starts it."""
    politely = signal.SIGTERM
    """What ends it although somebody is connected."""

    def __init__(self):
        self.program = server_program(self.name)
        if self.program is None:
            pytest.skip(no_server(self.name))
        self._process = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = Path(tempfile.mkdtemp(prefix=f"oauth-filter-{self.name}-"))
        self._as = {}
        if os.geteuid() == 0 and self.account:
            account = pwd.getpwnam(self.account)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self._as = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    def run(self, *command, **options):
        subprocess.run(
            command,
            check=True,
            cwd=self.folder,
            stdin=subprocess.DEVNULL if "input" not in options else None,
            stdout=subprocess.DEVNULL,
            timeout=PATIENCE,
            **self._as,
            **options,
        )

    def start(self):
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.program, *map(str, self.arguments())],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self._as,
            )
        patience = time.monotonic() + PATIENCE
        while not self.answers():
            assert self._process.poll() is None, (self.folder / "log").read_text(errors="replace")[-2000:]
            assert time.monotonic() < patience, f"{self.name} does not answer"
            time.sleep(0.05)

    def stop(self, how=None):
        if self._process is not None:
            self._process.send_signal(how or self.politely)
            self._process.wait(PATIENCE)
            self._process = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class PostgreSQL(Server):
    name = "postgres"
    account = "postgres"
    politely = signal.SIGINT

    def __init__(self):
        super().__init__()
        self.url = f"postgresql+psycopg://oauth:{QUOTED_PASSWORD}@127.0.0.1:{self.port}/postgres"
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self.run(
            str(Path(self.program).resolve().with_name("initdb")),
            f"--pgdata={self.folder}/data",
            "--username=oauth",
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # An order of its own, to show that ours does not depend on it.
            "--locale=C.UTF-8",
            "--no-sync",
        )

    def arguments(self):
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "max_connections": 100,
            "shared_buffers": "32MB",
            "log_min_messages": "fatal",
        }
        yield from ("-D", self.folder / "data")
        for name, value in options.items():
            yield from ("-c", f"{name}={value}")

    def answers(self):
        import psycopg

        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def connect(self, database="postgres"):
        import psycopg

        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="oauth", password=PASSWORD, dbname=database, autocommit=True
        )

    def execute(self, sql):
        """The rows of one statement."""
        with self.connect() as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def empty(self):
        """Take every row out of the tables of a store that is there."""
        with self.connect() as connection:
            tables = connection.execute("SELECT relname FROM pg_class WHERE relname LIKE 'oauth%' AND relkind = 'r'")
            names = {name for (name,) in tables} - {"oauth_store"}
            connection.execute("; ".join(f"DELETE FROM {name}" for name in names) or "SELECT 1")

    def drop(self):
        self.execute("DROP SCHEMA public CASCADE")
        self.execute("CREATE SCHEMA public")


class MariaDB(Server):
    name = "mariadbd"
    account = "mysql"

    def __init__(self):
        super().__init__()
        self.url = f"mariadb+pymysql://oauth:{QUOTED_PASSWORD}@127.0.0.1:{self.port}/oauth"
        install = shutil.which("mariadb-install-db")
        assert install, "mariadb-install-db comes with the server"
        self.run(install, *self._common(), "--auth-root-authentication-method=normal", "--skip-test-db")
        (self.folder / "init.sql").write_text(
            # Folding case and ignoring spaces at the end, as such databases do, to show that ours does not.
            "CREATE DATABASE IF NOT EXISTS oauth CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;\n"
            f"CREATE USER IF NOT EXISTS oauth@'%' IDENTIFIED BY '{PASSWORD}';\n"
            "GRANT ALL ON *.* TO oauth@'%' WITH GRANT OPTION;\n"
        )

    def _common(self):
        return ["--no-defaults", f"--datadir={self.folder}/data"]

    def arguments(self):
        return [
            *self._common(),
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            f"--socket={self.folder}/socket",
            f"--pid-file={self.folder}/pid",
            f"--init-file={self.folder}/init.sql",
            "--skip-name-resolve",
            "--innodb-buffer-pool-size=32M",
            "--innodb-log-file-size=16M",
            "--innodb-flush-log-at-trx-commit=2",
        ]

    def answers(self):
        import pymysql

        try:
            self.connect().close()
        except pymysql.OperationalError:
            return False
        return True

    def connect(self, database="oauth"):
        import pymysql

        return pymysql.connect(
            host="127.0.0.1", port=self.port, user="oauth", password=PASSWORD, database=database, autocommit=True
        )

    def execute(self, *statements):
        """The rows of the last statement."""
        with self.connect() as connection, connection.cursor() as cursor:
            for sql in statements:
                cursor.execute(sql)
            return list(cursor.fetchall())

    def tables(self):
        return [name for (name,) in self.execute("SHOW TABLES")]

    def empty(self):
        """Take every row out of the tables of a store that is there."""
        self.execute(*(f"DELETE FROM {name}" for name in self.tables() if name != "oauth_store"), "SELECT 1")

    def drop(self):
        self.execute("DROP DATABASE oauth", "CREATE DATABASE oauth COLLATE utf8mb4_general_ci")


class Redis(Server):
    name = "redis-server"

    def __init__(self):
        super().__init__()
        self.url = f"redis://:{QUOTED_PASSWORD}@127.0.0.1:{self.port}/0"
        # A file and not arguments, which every user of the machine may read.
        (self.folder / "redis.conf").write_text(
            f'bind 127.0.0.1\nport {self.port}\ndir {self.folder}\nrequirepass "{PASSWORD}"\n'
            'appendonly yes\nappendfsync always\nsave ""\n'
        )

    def arguments(self):
        return [self.folder / "redis.conf"]

    def answers(self):
        import redis

        with self.connect() as client:
            try:
                return client.ping()
            except redis.ConnectionError:
                return False

    def connect(self):
        import redis

        return redis.Redis(port=self.port, password=PASSWORD)

    def execute(self, *command):
        with self.connect() as client:
            return client.execute_command(*command)

    def empty(self):
        self.execute("FLUSHALL")

    drop = empty
