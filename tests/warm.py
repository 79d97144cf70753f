"""`python` and `dvc` in forks of a process that has imported packages: a command starts at once, not in seconds.

A folder with two small programs of these names is put before the others in PATH. They hand their arguments, folder,
environment and files to the process, which forks, and wait for the end of the fork. What a command imports of packages,
but for this project and what brings threads along, is there for the next one.
"""

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
from functools import cache

CLIENT = """#!/bin/sh
exec '{python}' -IS '{this}' {name} '{address}' "$@"
"""
NEVER_KEPT = {"mlx", "tensorflow", "keras", "torch", "h5py", "grpc", "google", "__main__", "__mp_main__"}


@cache
def warm_path() -> str:
    """Start the process, which ends with this one; return the folder for PATH."""
    folder = tempfile.TemporaryDirectory(prefix="warm")  # an address has to be short
    address = f"{folder.name}/address"
    for name in ("python", "dvc"):
        program = f"{folder.name}/{name}"
        with open(program, "w") as file:  # noqa: PTH123  # clients import nothing that they can do without
            file.write(CLIENT.format(python=sys.executable, this=__file__, name=name, address=address))
        os.chmod(program, 0o755)  # noqa: PTH101, S103
    server = subprocess.Popen(
        [sys.executable, __file__, "serve", address], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"

    def end() -> None:
        server.communicate()
        folder.cleanup()

    atexit.register(end)
    return folder.name


def client(name: str, address: str, *arguments: str) -> int:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        socket.send_fds(connection, [b"f"], [0, 1, 2])
        connection.sendall(json.dumps([[name, *arguments], os.getcwd(), dict(os.environ)]).encode())  # noqa: PTH109
        connection.shutdown(socket.SHUT_WR)
        return int(connection.recv(16) or 255)


def serve(address: str) -> None:
    """Fork for each connection, until the one who started this ends."""
    import gc
    import select
    from contextlib import suppress
    from importlib import import_module

    listening, (found, finder) = socket.socket(socket.AF_UNIX), os.pipe()
    listening.bind(address)
    listening.listen()
    os.write(1, b"ready\n")
    while True:
        ready = select.select([0, found, listening], [], [])[0]
        if 0 in ready:
            return
        if found in ready:
            for name in os.read(found, 1 << 20).decode().split():
                with suppress(Exception):
                    import_module(name)
            gc.freeze()  # so that no fork writes to, and copies, the memory of all that was imported
        if listening in ready:
            connection, _ = listening.accept()
            if not os.fork():
                listening.close()
                answer(connection, finder)
            connection.close()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def answer(connection: socket.socket, finder: int) -> None:
    """Run the command of a connection in a fork of this fork, which sends how it ended."""
    _, files, *_ = socket.recv_fds(connection, 1, 3)
    words, folder, environment = json.loads(b"".join(iter(lambda: connection.recv(1 << 16), b"")))
    if command := os.fork():
        status = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
        connection.sendall(str(status if status >= 0 else 128 - status).encode())
        os._exit(0)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    connection.close()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    known, code = set(sys.modules), 1
    try:
        code = ended(words)
        new = (name for name in set(sys.modules) - known if name.partition(".")[0] not in NEVER_KEPT)
        os.write(finder, " ".join((*new, "")).encode())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def ended(words: list[str]) -> int:
    """Run a command as Python does; return its exit status."""
    import runpy
    import traceback

    name, *sys.argv = words
    sys.path[1:1] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    try:
        if name == "dvc":
            from dvc.cli import main

            sys.path[0] = os.path.dirname(sys.executable)  # noqa: PTH120
            sys.argv.insert(0, "dvc")
            return main()
        if sys.argv[0] == "-m":
            sys.path[0] = os.getcwd()  # noqa: PTH109
            del sys.argv[0]
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        else:
            sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))  # noqa: PTH100, PTH120
            runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        sys.exit(client(*sys.argv[1:]))
