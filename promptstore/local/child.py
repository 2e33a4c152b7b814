"""Run as a script: tie this process to its parent, take on an account if asked, and become a command.

It is a program of its own and not a `preexec_fn`, because those are unsafe beside threads. It imports nothing
of the product, so that it costs a few milliseconds.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import pwd
import signal
import sys

# linux/prctl.h, linux/capability.h, linux/securebits.h
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_SET_SECUREBITS = 28
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _prctl(option: int, *values: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(option, *(values + (0,) * (4 - len(values)))) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), f"prctl({option})")


def become(user: str, *, enter_any_directory: bool) -> None:
    """Give up root for `user`.

    With `enter_any_directory` one capability survives (CAP_DAC_OVERRIDE), for files below a directory that
    only root may enter. Programs ask `access(2)`, which ignores capabilities of other users unless
    SECBIT_NO_SETUID_FIXUP is set: see capabilities(7) and access(2).
    """
    account = pwd.getpwnam(user)
    if enter_any_directory:
        _prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP)
        _prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    if enter_any_directory:
        _keep_one_capability(_CAP_DAC_OVERRIDE)


def _keep_one_capability(number: int) -> None:
    # With the fix-up off setuid() dropped none: keep one, and hand it on through exec.
    mask = 1 << number
    header, data = _Header(_CAPABILITY_VERSION_3, 0), (_Data * 2)()
    data[0] = _Data(mask, mask, mask)
    if ctypes.CDLL(None, use_errno=True).capset(ctypes.byref(header), data) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), "capset")
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, number)


def main(arguments: list[str]) -> None:
    """`child.py --parent PID --death-signal N [--user NAME [--enter-any-directory]] -- COMMAND …`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--death-signal", type=int, required=True)
    parser.add_argument("--user")
    parser.add_argument("--enter-any-directory", action="store_true")
    separator = arguments.index("--")
    options, command = parser.parse_args(arguments[:separator]), arguments[separator + 1 :]
    if options.user:
        become(options.user, enter_any_directory=options.enter_any_directory)
    if sys.platform == "linux":
        # After the change of account, which would clear it; it survives the exec below.
        _prctl(_PR_SET_PDEATHSIG, options.death_signal)
    if os.getppid() != options.parent:
        sys.exit("the supervisor is gone")
    # Python ignores SIGPIPE, and an ignored signal stays ignored across exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606 - becoming the command is the purpose
    except OSError as error:
        sys.exit(f"cannot run {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
