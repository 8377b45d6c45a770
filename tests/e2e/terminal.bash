# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# For tests of what is asked on a terminal.

# typed ANSWER... -- COMMAND...: runs the command on a terminal of its own and types an answer at every
# question. Prints what the terminal showed, then whether it echoes.
typed() {
	python3 -c 'import os, pty, sys, termios
split = sys.argv.index("--")
answers, command = sys.argv[1:split], sys.argv[split + 1:]
main, side = pty.openpty()
pid = os.fork()
if pid == 0:
    os.login_tty(side) if hasattr(os, "login_tty") else (os.setsid(),
        __import__("fcntl").ioctl(side, termios.TIOCSCTTY, 0), [os.dup2(side, i) for i in range(3)])
    os.execvp(command[0], command)
shown, seen = b"", 0
while True:
    r = __import__("select").select([main], [], [], 0.1)[0]
    if r:
        shown += os.read(main, 4096)
        if shown[seen:].endswith(b": ") and answers:
            seen = len(shown)
            a = answers.pop(0)
            os.write(main, a.encode() + b"\n")
    elif os.waitpid(pid, os.WNOHANG)[0]:
        break
sys.stdout.write(shown.decode())
print("echo", bool(termios.tcgetattr(side)[3] & termios.ECHO))' "$@"
}
