"""The resources, one file each: parse, call one function of the register, shape the answer."""

from fastapi import APIRouter

from app.routers import (
    adoptions,
    changes,
    checks,
    clients,
    decisions,
    evidence,
    exports,
    feeds,
    history,
    imports,
    innovations,
    odata,
    organisations,
    service,
    statistics,
    subscriptions,
    themes,
)

ALL: tuple[APIRouter, ...] = (
    innovations.router,
    decisions.router,
    evidence.router,
    adoptions.router,
    history.router,
    checks.router,
    imports.router,
    changes.router,
    exports.router,
    feeds.router,
    odata.router,
    subscriptions.router,
    statistics.router,
    organisations.router,
    themes.router,
    clients.router,
    service.router,
)
