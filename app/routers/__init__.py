"""The resources, one file each: parse, call one function of the register, shape the answer."""

from fastapi import APIRouter

from app.routers import (
    changes,
    clients,
    decisions,
    evidence,
    exports,
    feeds,
    history,
    imports,
    innovations,
    likeness,
    odata,
    organisations,
    service,
    statistics,
    subscriptions,
    themes,
)

ALL: tuple[APIRouter, ...] = (
    innovations.router,
    likeness.router,
    decisions.router,
    evidence.router,
    history.router,
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
