"""Starts a real CalDAV server on loopback: `serve.py radicale|sabredav|xandikos FOLDER`.

Prints one line of JSON once it answers, {"url": …}, and ends it when its own input ends. The server keeps its
calendars in FOLDER. The account is `ana`, and the password `secret` where passwords are asked for.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

RADICALE = """
[server]
hosts = 127.0.0.1:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = {folder}/store
[logging]
level = warning
"""


def command(kind, folder, port):
    binaries = pathlib.Path(sys.executable).parent
    if kind == "radicale":
        (folder / "users").write_text("ana:secret\n")
        (folder / "radicale.conf").write_text(RADICALE.format(folder=folder, port=port))
        return [binaries / "radicale", "--config", folder / "radicale.conf"]
    if kind == "sabredav":
        # Written for an older PHP, it makes this one talk: 24575 is all but what is deprecated.
        quiet = ("-d", "error_reporting=24575", "-d", "display_errors=0")
        script = pathlib.Path(__file__).with_name("sabredav.php")
        return ["php", *quiet, "-S", f"127.0.0.1:{port}", script]
    return [
        *(binaries / "xandikos", "serve", "--directory", folder / "store", "--defaults"),
        *("--current-user-principal", "/ana/", "--state-dir", folder / "state"),
        *("--no-detect-systemd", "--listen-address", "127.0.0.1", "--port", str(port)),
    ]


def answers(url):
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def free_port():
    """A port that stays free until the server has it: of those that systems give to nobody, and others here take higher ones."""
    for port in range(10_000 + os.getpid() % 1_900, 12_000):
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    sys.exit("this machine has no free port")


def main():
    kind, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    (folder / "store").mkdir()
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    server = subprocess.Popen(
        command(kind, folder, port),
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        stderr=subprocess.DEVNULL if kind == "sabredav" else None,
        cwd=folder,
        env={**os.environ, "FOLDER": str(folder / "store")},
    )
    try:
        while not answers(url):
            if server.poll() is not None:
                sys.exit(f"{kind} ended with {server.returncode}")
            time.sleep(0.05)
        print(json.dumps({"url": url}), flush=True)
        sys.stdin.read()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
