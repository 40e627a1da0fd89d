"""What a customer asked, said and answered: tickets, touchpoints, surveys."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random

from demo.company import DAYS, Asked, Exchange, Person, Request, moment
from demo.shapes import Shape
from demo.words import COMMENTS, EXCHANGES, NEXT_STEPS, TICKETS

SLOWEST_HOURS = {"urgent": (0.3, 14), "high": (1, 48), "medium": (2, 120), "low": (3, 240)}


def _alive(shape: Shape, today: date, days_ago: int) -> bool:
    """Whether it was a customer so many days ago."""
    if today - timedelta(days=days_ago) < shape.joined_on + timedelta(days=2):
        return False
    if shape.ended_days_ago is None or days_ago > shape.ended_days_ago:
        return True
    return shape.returned_days_ago is not None and days_ago < shape.returned_days_ago


def _working(day: date) -> date:
    """The day, or the Friday before where it falls on a weekend."""
    return day - timedelta(days=max(0, day.weekday() - 4))


def requests(rng: Random, shape: Shape, key: str, people: Sequence[Person], today: date) -> list[Request]:
    """The tickets of the year, oldest first."""
    found: list[Request] = []
    for days_ago in range(DAYS, -1, -1):
        if rng.random() < shape.tickets_a_month / 30 and _alive(shape, today, days_ago):
            subject, priority = rng.choice(TICKETS)
            opened = moment(_working(today - timedelta(days=days_ago)), rng.randint(480, 1080))
            person = rng.choice([person for person in people if person.left_at is None])
            found.append(_request(rng, shape, f"{key}-t{len(found)}", subject, priority, person, opened))
    if shape.story == "urgent-tickets":
        found += _reopened_story(key, people[0], today)
    if shape.story == "bad-onboarding":
        opened = moment(today, 8 * 60 + 5)
        found.append(Request(f"{key}-tx", "The import stops at row 5,000 again", "high", people[0].key, opened))
    return found


def _request(
    rng: Random,
    shape: Shape,
    key: str,
    subject: str,
    priority: str,
    person: Person,
    opened: datetime,
) -> Request:
    soonest, slowest = SLOWEST_HOURS[priority]
    hours = soonest + (slowest - soonest) * rng.random() ** 2 * (1.6 - shape.mood)
    answered = opened + timedelta(hours=hours * 0.2)
    solved = opened + timedelta(hours=hours)
    again = solved + timedelta(hours=rng.uniform(3, 60)) if rng.random() < 0.08 else None
    solved_again = again + timedelta(hours=rng.uniform(4, 90)) if again else None
    satisfied = round(min(5, max(1, rng.gauss(2.2 + 2.8 * shape.mood, 0.9)))) if rng.random() < 0.4 else None
    is_open = rng.random() < 0.02 and priority != "urgent"
    return Request(
        key=key,
        subject=subject,
        priority=priority,
        person=person.key,
        opened_at=opened,
        answered_at=answered,
        solved_at=None if is_open else solved,
        reopened_at=None if is_open else again,
        solved_again_at=None if is_open else solved_again,
        is_escalated=priority == "urgent" and rng.random() < 0.3,
        satisfaction=None if is_open else satisfied,
    )


def _reopened_story(key: str, person: Person, today: date) -> list[Request]:
    def at(days_ago: int, hour: int) -> datetime:
        return moment(today - timedelta(days=days_ago), hour * 60)

    return [
        Request(
            key=f"{key}-tx",
            subject="Single sign-on fails for the laboratory in Lyon",
            priority="urgent",
            person=person.key,
            opened_at=at(9, 9),
            answered_at=at(9, 10),
            solved_at=at(7, 16),
            reopened_at=at(5, 8),
            is_escalated=True,
        ),
        Request(
            key=f"{key}-ty",
            subject="All users signed out again since this morning",
            priority="urgent",
            person=person.key,
            opened_at=at(3, 8),
            answered_at=at(3, 9),
            solved_at=at(3, 18),
            reopened_at=at(2, 9),
            is_escalated=True,
        ),
    ]


def exchanges(rng: Random, shape: Shape, people: Sequence[Person], today: date) -> list[Exchange]:
    """The touchpoints of the year, oldest first."""
    found = []
    days_ago = DAYS - rng.randint(0, shape.touch_every_days)
    while days_ago >= 0:
        if _alive(shape, today, days_ago):
            found.append(_exchange(rng, shape, people, _working(today - timedelta(days=days_ago)), today))
        days_ago -= max(4, round(shape.touch_every_days * rng.uniform(0.6, 1.4)))
    found += [_said(shape, people, today, *said) for said in STORY_EXCHANGES.get(shape.story, ())]
    return sorted(found, key=lambda exchange: exchange.at)


# story -> (days ago, kind, sentiment, summary, next step)
STORY_EXCHANGES: dict[str, tuple[tuple[int, str, str, str, str], ...]] = {
    "champion-leaves": (
        (70, "email", "neutral", "Our champion takes a job elsewhere; Friday is the last day", "Ask who takes over"),
        (58, "call", "negative", "Nobody has been named yet; the teams decide for themselves", "Call the sponsor"),
    ),
    "bad-onboarding": (
        (53, "meeting", "positive", "Kick-off: three teams, go-live planned within a month", "Send the plan"),
        (
            33,
            "call",
            "negative",
            "Import of tasks failed twice; people went back to spreadsheets",
            "Escalate the import",
        ),
        (12, "email", "negative", "Sponsor asks whether this was the right choice", "Propose a restart with one team"),
    ),
    "happy-expander": (
        (60, "business_review", "positive", "Quarterly review: two more countries want in", "Quote for 190 seats"),
        (38, "email", "positive", "Signed the enterprise plan for all offices", "Plan the roll-out"),
    ),
    "urgent-tickets": (
        (
            4,
            "call",
            "negative",
            "CIO is angry: the ticket was closed and the fault came back",
            "Daily note until fixed",
        ),
    ),
    "renewal-at-risk": (
        (75, "business_review", "negative", "Half the seats are idle; they will compare offers", "Prepare numbers"),
    ),
    "churned": ((66, "call", "negative", "They have signed with Plainboard; notice follows", "Exit interview"),),
    "win-back": (
        (
            92,
            "call",
            "positive",
            "The other tool disappointed them; they would come back for a fair price",
            "Send offer",
        ),
        (84, "meeting", "positive", "Restart: forty seats, the same champion, a plan for four weeks", "Weekly calls"),
    ),
}


def _said(
    shape: Shape, people: Sequence[Person], today: date, days_ago: int, kind: str, mood: str, summary: str, step: str
) -> Exchange:
    day = today - timedelta(days=days_ago)
    return Exchange(
        at=moment(day, 14 * 60 + 20),
        kind=kind,
        direction="inbound" if kind == "email" else "outbound",
        sentiment=mood,
        summary=summary,
        person=people[0].key,
        minutes=None if kind == "email" else 45,
        next_step=step,
        next_step_on=day + timedelta(days=7),
    )


def _exchange(rng: Random, shape: Shape, people: Sequence[Person], day: date, today: date) -> Exchange:
    mood = min(1.0, max(0.0, rng.gauss(shape.mood, 0.2)))
    sentiment = "positive" if mood > 0.68 else "neutral" if mood > 0.38 else "negative"
    kind, summary, minutes = rng.choice(EXCHANGES[sentiment])
    follows = rng.random() < 0.4
    there = [person for person in people if person.left_at is None or person.left_at.date() > day]
    return Exchange(
        at=moment(day, rng.randint(8 * 60 + 30, 17 * 60 + 30)),
        kind=kind,
        direction="inbound" if kind in {"email", "chat"} and rng.random() < 0.5 else "outbound",
        sentiment=sentiment,
        summary=summary,
        person=rng.choice(there or list(people)).key,
        minutes=minutes,
        next_step=rng.choice(NEXT_STEPS) if follows else "",
        next_step_on=day + timedelta(days=rng.randint(3, 21)) if follows else None,
    )


def asked(rng: Random, shape: Shape, people: Sequence[Person], tickets: Sequence[Request], today: date) -> list[Asked]:
    """The survey invitations of the year, with the answers."""
    found = []
    for wave, around in (("spring", 290), ("autumn", 150), ("winter", 26)):
        shift = rng.randint(-35, 35)
        for person in people:
            days_ago = around + (shift if around > 100 else shift // 2) + rng.randint(-3, 3)
            apart = wave == "winter" and shape.story
            if person.role != "billing" and not apart and _alive(shape, today, days_ago + 30):
                found.append(_nps(rng, shape, person, today, days_ago, wave))
    for ticket in tickets:
        closed = ticket.solved_again_at or ticket.solved_at
        if ticket.satisfaction is not None and closed:
            found.append(
                Asked("csat", ticket.person, closed, ticket.key, closed + timedelta(hours=5), ticket.satisfaction)
            )
    if shape.story == "detractor":
        found.append(_detractor_story(people, today))
    if shape.story == "happy-expander":
        answered = moment(today - timedelta(days=12), 11 * 60)
        comment = "Every office works in it now. I would not want to go back."
        found.append(Asked("nps", people[0].key, answered - timedelta(days=1), "roll-out", answered, 10, comment))
    return found


def _detractor_story(people: Sequence[Person], today: date) -> Asked:
    answered = moment(today - timedelta(days=1), 15 * 60 + 40)
    comment = "Two outages in a month, and I heard about both from my own people. We are looking around."
    decider = next(person for person in people if person.role == "decision_maker")
    return Asked("nps", decider.key, answered - timedelta(days=3), "quarter", answered, 2, comment)


def _nps(rng: Random, shape: Shape, person: Person, today: date, days_ago: int, wave: str) -> Asked:
    invited = moment(_working(today - timedelta(days=days_ago)), 10 * 60)
    answers = rng.random() < 0.5 and (shape.ended_days_ago is None or days_ago - 6 > shape.ended_days_ago)
    if not answers:
        return Asked("nps", person.key, invited, wave)
    score = round(min(10, max(0, rng.gauss(3.8 + 7.2 * shape.mood, 1.6))))
    category = "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"
    comment = rng.choice(COMMENTS[category][person.language]) if rng.random() < 0.6 else ""
    return Asked("nps", person.key, invited, wave, invited + timedelta(hours=rng.uniform(0.2, 130)), score, comment)
