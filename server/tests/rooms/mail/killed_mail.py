"""Mail's own processes, killed by themselves at one place: `python killed_mail.py WHERE [PORT]`.

WHERE is what they have just done: "stored" a mail and not answered, "claimed" a delivery and not begun, handed over
all but the "last" line, "sent" a mail and not noted it.
"""

import asyncio
import os
import signal
import socket
import sys


def die(*_args, **_kwargs) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def listen(port: int, *, deadly: bool) -> None:
    from daytwo_server.mail import listener

    genuine = listener._store

    def store(batch):
        kept = genuine(batch)
        if deadly:
            die()
        return kept

    listener._store = store

    async def serve() -> None:
        bound = socket.create_server(("127.0.0.1", port))
        listening = listener.Listener(bound)
        await listening.start()
        sys.stdout.write("listening\n")
        sys.stdout.flush()
        await asyncio.sleep(60)

    asyncio.run(serve())


def send(where: str) -> None:
    from daytwo_server.mail.sending import drain, smtp

    if where == "claimed":
        drain._send = die
    elif where == "last":
        smtp._LINE_WITH_DOT = _Dying(smtp._LINE_WITH_DOT)
    elif where == "sent":
        drain._settle = die
    drain.drain(for_s=10)


class _Dying:
    """Ends the process while the mail is on its way."""

    def __init__(self, genuine) -> None:
        self._genuine = genuine

    def sub(self, *args):
        import smtplib

        genuine = smtplib.SMTP.send

        def send_and_die(smtp, data):
            genuine(smtp, data)
            if len(data) > 200:  # the mail itself, without the line that ends it
                die()

        smtplib.SMTP.send = send_and_die
        return self._genuine.sub(*args)


if __name__ == "__main__":
    import django

    django.setup()
    where = sys.argv[1]
    if where in {"stored", "listen"}:
        listen(int(sys.argv[2]), deadly=where == "stored")
    else:
        from django.conf import settings

        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        send(where)
