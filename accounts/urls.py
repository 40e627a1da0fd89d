from django.urls import path

from accounts import views

app_name = "contacts"
urlpatterns = [path("<str:token>/", views.unsubscribe_page, name="unsubscribe")]
