#!/usr/bin/env bash
# The register from a shell: submit, find, page through, follow.
# Needs bash, curl 7.82 or newer, and jq.
set -euo pipefail

register=${REGISTER_URL:-http://127.0.0.1:8000}
changes='/v1/changes?limit=100'

usage() {
    cat <<'WORDS'
register.sh submit FILE      submits the entry in a JSON file; safe to repeat with the same file
register.sh find WORDS       finds entries, the best first
register.sh list [FILTERS]   all that there is, page after page; FILTERS like 'status=keep&icb=QOP'
register.sh follow [FILE]    what is new since the last time; FILE keeps the place (changes.next)

REGISTER_URL names the register (http://127.0.0.1:8000), and REGISTER_KEY has your key.
WORDS
}

# One request. What can be tried again (429, 503 and the like) curl tries again, after the seconds
# that `Retry-After` names. The key goes in by a file, since others can see a command's arguments.
# The answer comes by a file, too, so that only that of the last try is printed: what was asked for
# on the standard output, or what the register says is wrong on the standard error.
ask() {
    local answer status=0
    answer=$(mktemp)
    curl --silent --show-error --fail-with-body --max-time 60 --retry 5 --retry-connrefused \
        --header @<(authorization) --output "$answer" "$@" || status=$?
    if ((status == 0)); then
        cat "$answer"
    else
        cat "$answer" >&2
    fi
    rm -f "$answer"
    return "$status"
}

authorization() {
    if [[ -n ${REGISTER_KEY:-} ]]; then
        printf 'Authorization: Bearer %s\n' "$REGISTER_KEY"
    fi
}

# The same file has the same Idempotency-Key: when you do not know whether a request arrived, send
# it again, and the register answers what it answered the first time. It knows a key for 24 hours.
submit() {
    local key
    key=$(sha256sum <"$1" | cut -c -64)
    ask --json "@$1" --header "Idempotency-Key: $key" "$register/v1/innovations"
    echo
}

find_entries() {
    local page
    page=$(ask --get "$register/v1/innovations" --data-urlencode "q=$*" --data limit=20)
    jq --raw-output '.items[] | [.reference, .status, .title] | @tsv' <<<"$page"
}

list() {
    local filters=${1:-} cursor='' page
    while :; do
        page=$(ask --get "$register/v1/innovations?$filters" --data limit=100 \
            ${cursor:+--data-urlencode "cursor=$cursor"})
        jq --raw-output '.items[] | [.reference, .status, .title] | @tsv' <<<"$page"
        cursor=$(jq --raw-output '.page.next // empty' <<<"$page")
        [[ -n $cursor ]] || break
    done
}

# `page.next` is kept when its page has been dealt with, and not before: after a breakdown a page
# may come twice, but never none.
follow() {
    local file=${1:-changes.next} next=0 head page
    if [[ -s $file ]]; then
        next=$(<"$file")
    fi
    while :; do
        page=$(ask "$register$changes&after=$next")
        jq --raw-output '.items[] | [.sequence, .action, .kind, .id, .document.title // ""] | @tsv' \
            <<<"$page"
        next=$(jq .page.next <<<"$page")
        head=$(jq .page.head <<<"$page")
        echo "$next" >"$file.new"
        mv "$file.new" "$file"
        ((next < head)) || break
    done
}

case ${1:-} in
submit) submit "${2:?which file?}" ;;
find) shift && find_entries "${@:?which words?}" ;;
list) list "${2:-}" ;;
follow) follow "${2:-}" ;;
*) usage >&2 && exit 2 ;;
esac
