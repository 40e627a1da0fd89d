from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.workspace import validate_time_zone
from common.text import normal_email


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Make a user who signs in with ``email``; without a password they cannot sign in by password."""
        user = self.model(email=normal_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Make an admin who may also use Django's own admin pages."""
        return self.create_user(email, password, role=User.Role.ADMIN, is_staff=True, is_superuser=True, **fields)

    def working(self) -> models.QuerySet[User]:
        """The people who may be given accounts and tasks: still here, and allowed to change things."""
        return self.filter(is_active=True).exclude(role=User.Role.VIEWER)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=normal_email(username or ""))


class User(AbstractBaseUser, PermissionsMixin):
    """One person of the company's own staff.

    ``weekly_hours`` is how much of an ordinary week the person has for work with customers: of 40 hours about 30,
    when mail, meetings among colleagues and breaks are taken off. Seniors get the difficult accounts.
    """

    class Role(models.TextChoices):
        ADMIN = "admin", _("Admin")
        LEADER = "leader", _("Leader")
        CSM = "csm", _("CSM")
        VIEWER = "viewer", _("Viewer")

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    language = models.CharField(max_length=10, choices=settings.LANGUAGES, default="en")
    time_zone = models.CharField(max_length=64, blank=True, validators=[validate_time_zone])
    hotkeys_enabled = models.BooleanField(default=True)
    weekly_hours = models.PositiveSmallIntegerField(default=30)
    is_senior = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    joined_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=models.Q(weekly_hours__lte=80), name="accounts_user_at_most_80_hours")
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_admin(self) -> bool:
        return self.role == self.Role.ADMIN

    @property
    def can_edit(self) -> bool:
        """Whether the person may change accounts and tasks at all; viewers only read."""
        return self.role != self.Role.VIEWER

    @property
    def leads(self) -> bool:
        """Whether the person steers who works on what: hours, leave and accounts of others."""
        return self.role in {self.Role.ADMIN, self.Role.LEADER}

    @property
    def initials(self) -> str:
        return "".join(part[0] for part in self.name.split()[:2]).upper() or self.email[0].upper()
