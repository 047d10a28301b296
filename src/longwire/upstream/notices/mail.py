"""Messages as mail, over SMTP in a thread: the standard library's client waits where it is.

Law: servers that are slow hold threads of mail alone; names are looked up in those of all.
"""

import asyncio
import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from longwire.core.nouns.delivery import Delivery, Sent
from longwire.core.nouns.destination import Mail, MailSecurity
from longwire.core.nouns.secret import concealed

_TIMEOUT: Final = 20.0
_LASTING: Final = 500
_SHOWN: Final = 300
_THREADS: Final = ThreadPoolExecutor(32, "mail")


async def send_mail(mail: Mail, delivery: Delivery, now: float) -> Sent:
    """Send a message to all recipients, `now` in seconds since 1970 UTC."""
    message = mail_of(mail, delivery, now)
    try:
        await asyncio.get_running_loop().run_in_executor(_THREADS, _send, mail, message)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        refusals = [f"{who}: {code} {_text(why)}" for who, (code, why) in error.recipients.items()]
        return _failed("; ".join(refusals), is_lasting=min(codes) >= _LASTING)
    except smtplib.SMTPResponseException as error:
        answer = f"{error.smtp_code} {_text(error.smtp_error)}"
        return _failed(answer, is_lasting=error.smtp_code >= _LASTING)
    except smtplib.SMTPNotSupportedError as error:
        return _failed(f"{error}; {_mend(str(error))}", is_lasting=True)
    except ssl.SSLCertVerificationError as error:
        return _failed(f"its certificate is not trusted: {error.verify_message}", is_lasting=False)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return _failed(str(error) or type(error).__name__, is_lasting=False)
    return Sent(f"accepted by {mail.host}", is_delivered=True)


def mail_of(mail: Mail, delivery: Delivery, now: float) -> EmailMessage:
    """Return a message as plain text; each attempt has the same id."""
    message = EmailMessage()
    message["Subject"] = " ".join(delivery.message.title.split())
    message["From"] = mail.sender
    message["To"] = ", ".join(mail.recipients)
    message["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
    message["Message-ID"] = f"<{delivery.id}@{mail.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(delivery.message.text + "\n")
    return message


def _send(mail: Mail, message: EmailMessage) -> None:
    with _connected(mail) as server:
        if mail.user:
            server.login(mail.user, mail.password.reveal())
        server.send_message(message)


def _connected(mail: Mail) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if mail.security is MailSecurity.TLS:
        return smtplib.SMTP_SSL(mail.host, mail.port, timeout=_TIMEOUT, context=context)
    server = smtplib.SMTP(mail.host, mail.port, timeout=_TIMEOUT)
    if mail.security is MailSecurity.STARTTLS:
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server


def _mend(lacking: str) -> str:
    """Return what to do about what a server does not offer."""
    if "SMTPUTF8" in lacking:
        return "write the addresses in ASCII, or name a server that takes others"
    if "AUTH" in lacking:
        return "leave user and password empty, or name a port where people sign in"
    return "choose another kind of encryption"


def _failed(answer: str, *, is_lasting: bool) -> Sent:
    return Sent(concealed(answer)[:_SHOWN], may_succeed_later=not is_lasting)


def _text(answer: bytes | str) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
