"""`/api/support`: what a SaaS's own pages and servers call for its customers. docs/how-to/support.md tells of it."""

from django.urls import path

from daytwo_server.tickets.api.customers import views

app_name = "support"
urlpatterns = [
    path("tickets", views.tickets, name="tickets"),
    path("tickets/<str:code>", views.ticket, name="ticket"),
    path("tickets/<str:code>/replies", views.replies, name="replies"),
    path("tickets/<str:code>/rating", views.rating, name="rating"),
    path("tickets/<str:code>/attachments/<str:uid>", views.attachment, name="attachment"),
]
