"""Examples of bodies and parameters in the docs; each is run by a test."""

from __future__ import annotations

from typing import Any

_WARD_ROUNDS = {
    "title": "Virtual care-home ward rounds",
    "summary": "A GP sees residents by video twice a week.",
    "description": "The care home's nurse joins with a tablet. It replaces a weekly visit, and "
    "takes a room with a good connection.",
    "theme": "21st-century-tools",
    "further_themes": ["local-system"],
    "care_setting": "care_home",
    "tags": ["video", "ward-round"],
    "started_on": "2020-04-01",
    "decision": {
        "status": "keep",
        "reason": "Fewer admissions.",
        "decided_on": "2021-06-30",
        "review_on": "2027-06-30",
        "decided_by": "Medical director",
    },
    "evidence": [
        {
            "kind": "measure",
            "statement": "Admissions from homes fell by a fifth.",
            "strength": "moderate",
            "url": "https://example.org/report",
            "measure": {
                "name": "Emergency admissions",
                "unit": "per month",
                "baseline": 50,
                "result": 40,
                "period": "2020-04/2020-09",
            },
        }
    ],
}

INNOVATION: Any = {
    "full": {"summary": "With a decision and evidence", "value": _WARD_ROUNDS},
    "shortest": {
        "summary": "Only what is required",
        "value": {
            "title": "Daily huddle of the whole ward",
            "summary": "Clinical and other staff share ten minutes at the start of each day.",
            "theme": "great-teams",
        },
    },
}

CHECK: Any = {
    "draft": {
        "summary": "What somebody has written so far",
        "value": {
            "title": "Ten-minute huddle",
            "summary": "All meet at eight. Ask Mrs Example on 020 7946 0000.",
        },
    },
    "title": {
        "summary": "Only a title yet",
        "value": {"title": "Fewer forms before a patient goes home"},
    },
}

INNOVATION_PATCH: Any = {
    "tags": {"summary": "Other tags", "value": {"tags": ["video", "care-homes"]}},
    "describe": {
        "summary": "A description, and no start",
        "value": {"description": "All that a neighbour needs to know.", "started_on": None},
    },
}

MERGE: Any = {
    "twice": {
        "summary": "The same practice, submitted twice",
        "value": {
            "into": "INN-000039",
            "reason": "Both are the one assessment that health and social care make together.",
        },
    }
}
MERGED: Any = {"reference": {"summary": "By its reference", "value": "INN-000056"}}

DECISION: Any = {
    "retire": {
        "summary": "Never again",
        "value": {
            "status": "retire",
            "reason": "Three forms said the same thing.",
            "decided_on": "2026-11-02",
            "decided_by": "Ward managers' forum",
        },
    },
    "keep": {
        "summary": "Keep, and look again in a year",
        "value": {
            "status": "keep",
            "reason": "Patients ask for it.",
            "decided_on": "2026-11-02",
            "review_on": "2027-11-02",
            "decided_by": "Chief nurse",
        },
    },
}

EVIDENCE: Any = {
    "voice": {
        "summary": "What staff say",
        "value": {
            "kind": "staff_voice",
            "statement": "Nurses say that they get home on time.",
            "strength": "suggestive",
        },
    },
    "measure": {
        "summary": "A figure, before and after",
        "value": {
            "kind": "measure",
            "statement": "The median stay became a day shorter.",
            "strength": "moderate",
            "measure": {"name": "Length of stay", "unit": "days", "baseline": 6, "result": 5},
        },
    },
}

EVIDENCE_PATCH: Any = {
    "stronger": {"summary": "It carries further now", "value": {"strength": "strong"}}
}

ADOPTION: Any = {
    "adopted": {
        "summary": "Made to fit, with what came of it",
        "value": {
            "organisation": "EXAMPLE5",
            "stage": "adapted",
            "since": "2025-04-01",
            "outcome": "Staff arrive rested, and fewer leave in their first year.",
            "learnt": "Agree first who pays when the trial ends.",
        },
    },
    "considering": {
        "summary": "Only what is required, and for whom",
        "value": {"organisation": "EXAMPLE6", "stage": "considering"},
    },
}

ADOPTION_PATCH: Any = {
    "stopped": {
        "summary": "No longer, and why",
        "value": {
            "stage": "stopped",
            "since": "2026-03-31",
            "learnt": "It hung on one person, and ended when they left.",
        },
    },
    "outcome": {"summary": "What came of it", "value": {"outcome": "Nobody misses the old way."}},
}

THEME: Any = {
    "eleventh": {
        "summary": "What keeps coming up",
        "value": {
            "slug": "greener-care",
            "name": "Greener care",
            "group": "now_have",
            "description": "Care that needs fewer journeys, less energy and less waste.",
        },
    }
}

THEME_PATCH: Any = {
    "wording": {"summary": "A clearer name", "value": {"name": "Staff who are valued"}}
}

SUGGESTION: Any = {
    "story": {
        "summary": "What somebody told",
        "value": {"text": "Volunteers rang everybody who lives alone.", "limit": 3},
    }
}

GROUP_TO_GET: Any = {"member": {"summary": "By one of its members", "value": "INN-000074"}}
GROUP_TO_MAKE: Any = {"member": {"summary": "By one of its members", "value": "INN-000038"}}

THEME_OF_GROUP: Any = {
    "discharge": {
        "summary": "What keeps coming up about going home",
        "value": {
            "slug": "going-home",
            "name": "Going home",
            "group": "sorted",
            "description": "Leaving hospital without waiting for forms and assessments.",
        },
    }
}

IMPORT: Any = {
    "application/json": {
        "schema": {"type": "array", "items": {"$ref": "#/components/schemas/InnovationCreate"}},
        "examples": {
            "array": {
                "summary": "Two entries, with ids of their own system",
                "value": [
                    {**_WARD_ROUNDS, "source": {"system": "nightly", "id": "41"}},
                    {
                        "title": "One form to go home with",
                        "summary": "Four discharge forms became one.",
                        "theme": "basics-sorted",
                        "source": {"system": "nightly", "id": "42"},
                    },
                ],
            }
        },
    },
    "application/x-ndjson": {
        "schema": {"type": "string", "format": "binary", "description": "One entry a line."},
    },
    "text/csv": {
        "schema": {
            "type": "string",
            "format": "binary",
            "description": "A header and an entry a row, as in `/v1/imports/template.csv`.",
        },
    },
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {
        "schema": {"type": "string", "format": "binary", "description": "A workbook."},
    },
}

_DISCHARGE = {
    "text": "Going home used to take four forms and a day. Now the ward and the council fill in "
    "one together, and people leave when they are well enough. Please never bring the four back.",
    "verdict": "never_again",
    "role": "nurse",
    "care_setting": "acute",
    "themes": ["basics-sorted", "local-system"],
    "region": "Y62",
    "consent_to_publish": True,
}

STORY: Any = {
    "full": {"summary": "Of a nurse, who agrees to be read", "value": _DISCHARGE},
    "shortest": {
        "summary": "Only what is required; it stays within the organisation",
        "value": {"text": "The huddle at eight is the best of my day.", "verdict": "keep"},
    },
    "other": {
        "summary": "Of a role that is not in the list",
        "value": {
            "text": "Families thank us for the video calls. We porters set most of them up.",
            "verdict": "keep",
            "role": "other_staff",
            "other_role": "Porter",
            "themes": ["21st-century-tools"],
            "consent_to_publish": True,
        },
    },
}

STORY_CHECK: Any = {
    "draft": {
        "summary": "What somebody has told so far",
        "value": {"text": "Mr Example rings me on 020 7946 0000, and I feel less alone."},
    },
    "whole": {
        "summary": "A story that would be taken",
        "value": {"text": "The huddle at eight is the best of my day.", "verdict": "keep"},
    },
}

STORY_PATCH: Any = {
    "themes": {"summary": "What it is about", "value": {"themes": ["great-teams"]}},
    "link": {
        "summary": "It tells of an innovation",
        "value": {"innovations": ["INN-000001"]},
    },
    "consent": {
        "summary": "Its teller does not want it read any more",
        "value": {"consent_to_publish": False},
    },
}

STORY_IMPORT: Any = {
    **IMPORT,
    "application/json": {
        "schema": {"type": "array", "items": {"$ref": "#/components/schemas/StoryCreate"}},
        "examples": {
            "array": {
                "summary": "Two answers to a survey, with the survey's own ids",
                "value": [
                    {**_DISCHARGE, "source": {"system": "survey", "id": "17"}},
                    {
                        "text": "I was asked what mattered to me before a plan was made.",
                        "verdict": "keep",
                        "role": "patient",
                        "themes": ["patient-as-partner"],
                        "source": {"system": "survey", "id": "18"},
                    },
                ],
            }
        },
    },
    "text/csv": {
        "schema": {
            "type": "string",
            "format": "binary",
            "description": "A header and a story a row, as in `/v1/stories/imports/template.csv`.",
        },
    },
}

CLIENT: Any = {
    "intranet": {
        "summary": "A trust's intranet, for as long as it is not revoked",
        "value": {"name": "intranet", "organisation": "R0A", "scopes": ["contribute"]},
    },
    "dashboard": {
        "summary": "A dashboard, until a day",
        "value": {
            "name": "dashboard",
            "organisation": "QOP",
            "scopes": ["read"],
            "expires_at": "2099-04-01T00:00:00Z",
        },
    },
}

CLIENT_PATCH: Any = {
    "scopes": {
        "summary": "It may curate, too",
        "value": {"scopes": ["contribute", "curate"]},
    },
    "longer": {"summary": "Until another day", "value": {"expires_at": "2099-10-01"}},
}

ROTATION: Any = {
    "day": {"summary": "A day to change over", "value": {"overlap_hours": 24}},
    "now": {"summary": "The old key ends now", "value": {"overlap_hours": 0}},
}

SUBSCRIPTION: Any = {
    "all": {
        "summary": "All that the key may see, to a receiver of one's own network",
        "value": {"name": "dashboard", "url": "http://127.0.0.1:9000/hooks/register"},
    },
    "kept": {
        "summary": "What the trusts of an ICB keep, from the start",
        "value": {
            "name": "intranet",
            "url": "http://127.0.0.1:9000/hooks/kept",
            "filters": {"icb": ["QOP"], "status": ["keep"]},
            "after": 0,
        },
    },
    "retired": {
        "summary": "What the trusts of an ICB submit and others have retired",
        "value": {
            "name": "quality team",
            "url": "http://127.0.0.1:9000/hooks/retired",
            "filters": {"icb": ["QOP"], "retired_elsewhere": True},
        },
    },
}

SUBSCRIPTION_PATCH: Any = {
    "resume": {"summary": "Go on after a pause", "value": {"state": "active"}},
    "pause": {"summary": "Send nothing for a while", "value": {"state": "paused"}},
    "filters": {
        "summary": "Only decisions to retire",
        "value": {"filters": {"status": ["retire"]}},
    },
}

SECRET_ROTATION: Any = {
    "day": {"summary": "A day to change over", "value": {"overlap_hours": 24}},
    "now": {"summary": "The old secret is in wrong hands", "value": {"overlap_hours": 0}},
}

SEQUENCE: Any = {"first": {"summary": "From the first line on", "value": 1}}

SURVEY: Any = {"survey": {"summary": "A survey", "value": "survey"}}
SYSTEM: Any = {"intranet": {"summary": "A trust's intranet", "value": "intranet"}}
SOURCE_ID: Any = {"number": {"summary": "A number of its own", "value": "42"}}
LISTED_ID: Any = {
    "listed": {
        "summary": "One from the list",
        "value": "01a20840-c36c-7661-a4fc-b9ec025e2a1f",
    }
}
