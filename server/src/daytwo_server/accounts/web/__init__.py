"""Pages about people and tokens, a module a subject. Names are global: allauth looks them up so."""

from daytwo_server.accounts.web import profile, settings, signin, tokens, welcome

urlpatterns = [
    *signin.urlpatterns,
    *welcome.urlpatterns,
    *profile.urlpatterns,
    *settings.urlpatterns,
    *tokens.urlpatterns,
]
