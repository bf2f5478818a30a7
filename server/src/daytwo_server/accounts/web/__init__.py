"""Pages about people and tokens, a module a subject. Names are global: allauth looks them up so."""

from daytwo_server.accounts.web import (
    invitations,
    members,
    passkeys,
    password_links,
    people,
    profile,
    recovery_codes,
    second_factor,
    security,
    sessions,
    settings,
    signin,
    social,
    teams,
    tokens,
    welcome,
)

urlpatterns = [
    *signin.urlpatterns,
    *second_factor.urlpatterns,
    *passkeys.urlpatterns,
    *social.urlpatterns,
    *security.urlpatterns,
    *recovery_codes.urlpatterns,
    *welcome.urlpatterns,
    *profile.urlpatterns,
    *settings.urlpatterns,
    *members.urlpatterns,
    *people.urlpatterns,
    *teams.urlpatterns,
    *invitations.urlpatterns,
    *password_links.urlpatterns,
    *sessions.urlpatterns,
    *tokens.urlpatterns,
]
