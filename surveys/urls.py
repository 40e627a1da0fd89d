from django.urls import path

from surveys import views

app_name = "surveys"
urlpatterns = [
    path("<str:token>/", views.answer_page, name="answer"),
    path("<str:token>/why/", views.comment_page, name="comment"),
    path("<str:token>/thanks/", views.thanks_page, name="thanks"),
    path("<str:token>/unsubscribe/", views.unsubscribe_page, name="unsubscribe"),
]
