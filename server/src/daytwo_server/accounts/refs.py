"""How people and tokens are named where other rooms link to them."""

from collections.abc import Mapping, Sequence

from daytwo_server.accounts.models import ApiToken, User
from daytwo_server.core.ref import Ref, resolver


@resolver("user")
def users(ids: Sequence[str]) -> Mapping[str, Ref]:
    return {str(user.pk): Ref("user", user.pk, str(user)) for user in User.objects.filter(pk__in=ids)}


@resolver("token")
def tokens(ids: Sequence[str]) -> Mapping[str, Ref]:
    return {str(token.pk): Ref("token", token.pk, token.label) for token in ApiToken.objects.filter(pk__in=ids)}
