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
    likeness,
    merging,
    never_again,
    odata,
    organisations,
    service,
    statistics,
    stories,
    story_imports,
    subscriptions,
    themes,
)

# What is asked for most comes first: routes are tried in their order.
ALL: tuple[APIRouter, ...] = (
    innovations.router,
    statistics.router,
    changes.router,
    likeness.router,
    merging.router,
    decisions.router,
    evidence.router,
    adoptions.router,
    history.router,
    checks.router,
    imports.router,
    story_imports.router,
    stories.router,
    never_again.router,
    exports.router,
    feeds.router,
    odata.router,
    subscriptions.router,
    organisations.router,
    themes.router,
    clients.router,
    service.router,
)
