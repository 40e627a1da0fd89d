from django.urls import path

from console.views import home, queue, search

app_name = "console"

urlpatterns = [
    path("", home.home, name="home"),
    path("queue/", queue.queue, name="queue"),
    path("queue/done/", queue.bulk, name="queue_bulk"),
    path("queue/<int:pk>/", queue.task, name="queue_task"),
    path("queue/<int:pk>/done/", queue.done, name="queue_done"),
    path("queue/<int:pk>/reopen/", queue.reopen, name="queue_reopen"),
    path("queue/<int:pk>/snooze/", queue.snooze, name="queue_snooze"),
    path("queue/<int:pk>/wake/", queue.wake, name="queue_wake"),
    path("queue/<int:pk>/assign/", queue.assign, name="queue_assign"),
    path("queue/<int:pk>/assign/<int:owner>/", queue.assign_back, name="queue_assign_back"),
    path("search/", search.search, name="search"),
]
