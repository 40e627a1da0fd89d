from django.urls import path

from console.views import health, home, playbooks, queue, search, segments, surveys

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
    path("health/", health.health, name="health"),
    path("surveys/", surveys.surveys, name="surveys"),
    path("surveys/<slug:key>/", surveys.survey, name="survey"),
    path("segments/", segments.segments, name="segments"),
    path("segments/<slug:key>/", segments.segment, name="segment"),
    path("playbooks/", playbooks.playbooks, name="playbooks"),
    path("playbooks/runs/<int:pk>/", playbooks.playbook_run, name="playbook_run"),
    path("playbooks/runs/<int:pk>/retry/", playbooks.playbook_run_retry, name="playbook_run_retry"),
    path("playbooks/runs/<int:pk>/stop/", playbooks.playbook_run_stop, name="playbook_run_stop"),
    path("playbooks/<slug:key>/", playbooks.playbook, name="playbook"),
    path("playbooks/<slug:key>/why/", playbooks.playbook_why, name="playbook_why"),
    path("playbooks/<slug:key>/pause/", playbooks.playbook_pause, name="playbook_pause"),
    path("playbooks/<slug:key>/resume/", playbooks.playbook_resume, name="playbook_resume"),
    path("search/", search.search, name="search"),
]
