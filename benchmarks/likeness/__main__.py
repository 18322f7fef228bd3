"""``python -m benchmarks.likeness``: how often each way of comparing texts is right."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from functools import partial

import numpy as np

from app.likeness.comparing import LIKELY, Comparing
from app.likeness.texts import of_entry, words
from app.likeness.themes import Example, Themes, described
from app.likening.retired import MOST_TOLD
from app.register import demonstration
from benchmarks.likeness import ways
from benchmarks.likeness.labelled import Labelled, others, pairs, themed
from benchmarks.likeness.ways import Encode, Rows, Weights

PARTS = ("look", "held")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.likeness", description=__doc__)
    parser.add_argument("--only-ours", action="store_true", help="only what the service does")
    options = parser.parse_args()
    if not options.only_ours:
        _table_of_ways()
    _what_the_service_does()


def _table_of_ways() -> None:
    found = [(pair.title, pair.summary) for pair in pairs()] + others()
    documents = [of_entry(*entry) for entry in found]
    asked = [of_entry(pair.other_title, pair.other_summary) for pair in pairs()]
    titles, asked_titles = [title for title, _ in found], [pair.other_title for pair in pairs()]
    learnt = [example.text for example in described()]
    print("| way | first theme | of three | titles: of three | whole: first | of three | ms |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    row = ["full-text search (BM25)", "", "", *_places(ways.bm25(titles, asked_titles))[1:]]
    print(f"| {' | '.join([*row, *_places(ways.bm25(documents, asked)), ''])} |", flush=True)
    tried: list[tuple[str, Encode | None, Encode | None]] = [
        ("word weights", Weights(learnt, words), Weights(documents, words)),
        ("runs of letters", Weights(learnt, ways.letters), Weights(documents, ways.letters)),
        *(
            (name, encode, encode)
            for name, encode in (
                ("word vectors (wordllama)", ways.word_vectors()),
                ("sentence model (MiniLM)", ways.sentence_model()),
                ("universal encoder", ways.universal(plain=True)),
                ("the same, shorthand written out", ways.universal(plain=False)),
            )
        ),
    ]
    for name, of_themes, of_entries in tried:
        if of_themes is None or of_entries is None:
            print(f"| {name}: not installed | | | | | | |")
            continue
        began = time.process_time()
        vectors = of_entries(documents)
        taken = (time.process_time() - began) / len(documents) * 1000
        whole = of_entries(asked) @ vectors.T
        alone = of_entries(asked_titles) @ of_entries(titles).T
        row = [name, *_of_themes(of_themes), _places(alone)[1], *_places(whole)]
        print(f"| {' | '.join([*row, f'{taken:.1f}'])} |", flush=True)
        centred = _centred(of_entries(asked), vectors)
        row = ["- without what all share", "", "", "", *_places(centred), ""]
        print(f"| {' | '.join(row)} |", flush=True)


def _centred(asked: Rows, found: Rows) -> Rows:
    mean = found.mean(axis=0)
    one, other = asked - mean, found - mean
    scores: Rows = one @ (other / np.linalg.norm(other, axis=1, keepdims=True)).T
    return scores


def _places(scores: Rows) -> list[str]:
    """In how many of a hundred the right one is first, and among the first three."""
    # What scores as much as the right one counts as before it.
    right = np.diagonal(scores)[:, None]
    places = (scores >= right).sum(axis=1) - 1
    return [str((places < best).sum()) for best in (1, 3)]


def _of_themes(encode: Encode) -> list[str]:
    """The nearest middle of a theme, learnt from our descriptions, on the texts held out."""
    names = list(dict.fromkeys(example.theme for example in described()))
    known = encode([example.text for example in described()])
    of = np.array([names.index(example.theme) for example in described()])
    usual = known.mean(axis=0)
    middles = np.stack([(known - usual)[of == n].mean(axis=0) for n in range(len(names))])
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    texts = themed("held")
    scores = (encode([text.text for text in texts]) - usual) @ middles.T
    ranked = [[names[n] for n in np.argsort(-row)] for row in scores]
    return [f"{_right(ranked, texts, best):.0f}" for best in (1, 3)]


def _right(ranked: Sequence[Sequence[str]], texts: Sequence[Labelled], best: int) -> float:
    """In how many of a hundred a right theme is among the first."""
    hits = sum(
        not {text.theme, text.also}.isdisjoint(names[:best])
        for names, text in zip(ranked, texts, strict=True)
    )
    return 100 * hits / len(texts)


def _what_the_service_does() -> None:
    comparing = Comparing()
    print("\nThemes, as the service suggests them\n")
    shown = [
        Example(entry["theme"], of_entry(entry["title"], entry["summary"]))
        for entry in demonstration.entries()
    ]
    for number, data in enumerate(comparing.packed([example.text for example in shown])):
        comparing.entries.put(number, data)
    own = list(described())
    makings = {
        "by letters alone": partial(Themes, own),
        "from our descriptions": partial(Themes, own, comparing.themes(own, [])),
        "and from the demonstration content": partial(
            Themes, [*own, *shown], comparing.themes(own, list(enumerate(shown)))
        ),
    }
    for name, make in makings.items():
        themes = make()
        for part in PARTS:
            texts = themed(part)
            found = [themes.rank(text.text) for text in texts]
            ranked = [[each.theme for each in of_text] for of_text in found]
            sure = 100 * np.mean([of_text[0].score for of_text in found])
            print(
                f"{name}, {part}: first {_right(ranked, texts, 1):.0f}, "
                f"of three {_right(ranked, texts, 3):.0f}; mean score of the first {sure:.0f}"
            )
    print("\nDuplicates, as the service finds them\n")
    comparing = Comparing()
    entries = [of_entry(pair.title, pair.summary) for pair in pairs()]
    entries += [of_entry(*each) for each in others()]
    retired = comparing.apart()
    for start in range(0, len(entries), 100):
        for number, data in enumerate(comparing.packed(entries[start : start + 100]), start):
            comparing.entries.put(number, data)
            retired.show(data)
            if number < len(pairs()):
                retired.put(number, data)
    first = of_three = told = wrong = 0
    for number, pair in enumerate(pairs()):
        near = comparing.near(of_entry(pair.other_title, pair.other_summary), 3)
        first += near[0].number == number
        of_three += number in [each.number for each in near]
        likely = [each for each in near if each.score >= LIKELY]
        told += number in [each.number for each in likely]
        wrong += any(each.number != number for each in likely)
    print(f"first {first}, of three {of_three}; told as likely {told}, others told too {wrong}")
    told = new = 0
    for number, pair in enumerate(pairs()):
        (data,) = comparing.packed([of_entry(pair.other_title, pair.other_summary)])
        told += number in [each.number for each in retired.likely(data, MOST_TOLD)]
    for entry in entries[len(pairs()) :]:
        new += bool(retired.likely(comparing.packed([entry])[0], 1))
    print(
        f"if the {len(pairs())} were retired elsewhere: told of {told} that come back, "
        f"and of {new} of {len(entries) - len(pairs())} others"
    )


if __name__ == "__main__":
    main()
