"""E-mail by SMTP. All mails of an incident are one thread; one that is sent twice keeps its Message-ID."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any

from saveit_remediate.notify.http import SECONDS
from saveit_remediate.notify.kind import Kind, Message, Options, SendError

_SECURITY = ("starttls", "tls", "none")


def send(options: Options, message: Message) -> Mapping[str, Any]:
    to = tuple(dict.fromkeys((*options["to"], *message.addresses)))
    if not to:
        raise SendError(
            "it has nobody to write to: give `to`, or contacts with an e-mail address", again=False
        )
    mail = compose(options["from"], to, message)
    try:
        with _connected(options) as server:
            if options["user"]:
                server.login(options["user"], options["password"])
            refused = server.send_message(mail, options["from"], to)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _words in error.recipients.values()]
        raise SendError(
            f"every recipient was refused: {codes}", again=all(code < 500 for code in codes)
        ) from error
    except smtplib.SMTPResponseException as error:
        words = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else ""
        raise SendError(
            f"{options['host']} says {error.smtp_code} {words[:200]}", error.smtp_code < 500
        ) from error
    except (OSError, smtplib.SMTPException) as error:
        raise SendError(f"cannot reach {options['host']}: {error}", again=True) from error
    return {"first": message.known.get("first") or mail["Message-ID"], "refused": sorted(refused)}


def compose(sender: str, to: tuple[str, ...], message: Message) -> EmailMessage:
    """One mail; nothing in a text can become a header, which EmailMessage sees to."""
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, ", ".join(to)
    mail["Subject"] = " ".join(message.title.split())
    mail["Date"] = message.at
    mail["Message-ID"] = f"<{hashlib.sha256(message.key.encode()).hexdigest()[:32]}@saveit-remediate>"
    mail["Auto-Submitted"] = "auto-generated"
    first = message.known.get("first")
    if first:
        mail["In-Reply-To"], mail["References"] = first, first
    mail.set_content("\n\n".join(part for part in (message.text, message.record) if part) + "\n")
    return mail


def _connected(options: Options) -> smtplib.SMTP:
    host, port, security = options["host"], int(options["port"]), options["security"]
    if security not in _SECURITY:
        raise SendError(f"security must be one of {', '.join(_SECURITY)}, not {security!r}", again=False)
    if security == "none" and host not in ("127.0.0.1", "::1", "localhost"):
        raise SendError("mail leaves this machine encrypted: security must be starttls or tls", again=False)
    if security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port, timeout=SECONDS)
    if security == "starttls":
        server.starttls(context=ssl.create_default_context())
    return server


KIND = Kind(
    required=("host", "from"),
    optional={"to": (), "port": 587, "user": "", "password": "", "security": "starttls"},
    secrets=("password",),
    send=send,
)
