import argparse
import sys

from daytwo_server.main.cli.start import start_django


def run(parsed: argparse.Namespace) -> int:
    """`daytwo reset-second-factor`: for an owner who lost device and recovery codes, with nobody above to help.

    A verb of its own, because `daytwo setup` runs unattended at each deploy and must not weaken anybody's account.
    """
    start_django(log_to=sys.stderr)
    from daytwo_server.accounts import services
    from daytwo_server.accounts.models import User

    person = User.objects.filter(email=User.objects.normalize_email(parsed.email)).first()
    if person is None:
        print(f"Nobody here has the address {parsed.email}. Nothing was changed.", file=sys.stderr)
        return 1
    if services.reset_second_factor(person, actor=None):
        print(f"{person.email} signs in with the password alone now, and was signed out everywhere.")
        print("Next: sign in, then add a passkey or an authenticator app under Settings, Security.")
    else:
        print(f"{person.email} had no second factor. Signed out everywhere; nothing else was changed.")
    return 0
