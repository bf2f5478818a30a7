"""The pages about projects and what belongs to them, about components, and about deploys."""

from django.urls import path, re_path

from daytwo_server.catalog.web import client_keys, components, deploys, environments, keys, projects, releases, servers

_PROJECT = "projects/<slug:slug>/"
_COMPONENT = r"^components/(?P<slug>[-\w]+)"
_KEY = f"{_PROJECT}keys/<id:key>/"
_SERVER_KEY = f"{_PROJECT}servers/<id:key>/"
_CLIENT_KEY = f"{_PROJECT}client-keys/<id:key>/"

app_name = "catalog"
urlpatterns = [
    path("projects/", projects.project_list, name="list"),
    path("projects/new/", projects.create_project, name="create"),
    path(_PROJECT, projects.project_page, name="project"),
    path(f"{_PROJECT}seen/", projects.seen, name="seen"),
    path(f"{_PROJECT}settings/", projects.project_settings, name="settings"),
    path(f"{_PROJECT}archive/", projects.archive, {"archived": True}, name="archive"),
    path(f"{_PROJECT}restore/", projects.archive, {"archived": False}, name="restore"),
    path(f"{_PROJECT}keys/", keys.create_key, name="create-key"),
    path(_KEY, keys.key_limits, name="key"),
    path(f"{_KEY}disable/", keys.switch_key, {"active": False}, name="disable-key"),
    path(f"{_KEY}enable/", keys.switch_key, {"active": True}, name="enable-key"),
    path(f"{_KEY}rotate/", keys.rotate_key, name="rotate-key"),
    path(f"{_KEY}undo-rotation/", keys.undo_rotation, name="undo-rotation"),
    path(f"{_PROJECT}servers/", servers.servers, name="servers"),
    path(f"{_PROJECT}servers/identity/", servers.replace_identity, name="replace-identity"),
    path(f"{_SERVER_KEY}revoke/", servers.switch_server_key, {"revoked": True}, name="revoke-server-key"),
    path(f"{_SERVER_KEY}restore/", servers.switch_server_key, {"revoked": False}, name="restore-server-key"),
    path(f"{_PROJECT}client-keys/", client_keys.client_keys, name="client-keys"),
    path(f"{_PROJECT}client-keys/new/", client_keys.create_client_key, name="create-client-key"),
    path(_CLIENT_KEY, client_keys.client_key, name="client-key"),
    path(f"{_CLIENT_KEY}revoke/", client_keys.switch_client_key, {"revoked": True}, name="revoke-client-key"),
    path(f"{_CLIENT_KEY}restore/", client_keys.switch_client_key, {"revoked": False}, name="restore-client-key"),
    path(f"{_PROJECT}environments/", environments.environment_list, name="environments"),
    path(f"{_PROJECT}environments/undo/", environments.undo, name="undo-environments"),
    path(f"{_PROJECT}releases/", releases.release_list, name="releases"),
    path(f"{_PROJECT}releases/<id:number>/", releases.release_page, name="release"),
    # Every address of the following works with a slash at its end too; the ones without are what links are made of.
    re_path(r"^components/?$", components.component_list, name="components"),
    re_path(r"^components/new/?$", components.create_component, name="create-component"),
    re_path(rf"{_COMPONENT}/?$", components.component_page, name="component"),
    re_path(rf"{_COMPONENT}/edit/?$", components.edit_component, name="edit-component"),
    re_path(rf"{_COMPONENT}/archive/?$", components.archive, {"archived": True}, name="archive-component"),
    re_path(rf"{_COMPONENT}/restore/?$", components.archive, {"archived": False}, name="restore-component"),
    re_path(r"^deploys/?$", deploys.deploy_list, name="deploys"),
    re_path(r"^deploys/news/?$", deploys.news, name="deploys-news"),
    re_path(r"^deploys/(?P<number>\d{1,18})/?$", deploys.deploy_page, name="deploy"),
]  # fmt: skip
