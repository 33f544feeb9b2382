#!/bin/sh
# The example from end to end: one order more in sales.csv, the pipeline again, and everything shows it.
#
#   ./smoke.sh           runs it; the order stays, so that you can look at the dashboard
#   ./smoke.sh --undo    takes the order out again and runs the pipeline
#
# BOATHOUSE names the command when it is not on the PATH: BOATHOUSE='docker compose exec -T serve boathouse' ./smoke.sh
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
csv=$here/sales.csv
order=ORD-9999
line=$order,CUST-0001,2024-03-31,Laptop,1,1500.00,North

boathouse() {
    verb=$1
    shift
    set -- "$verb" -C "${SMOKE_DIR:-$here}" "$@"
    if [ -n "${BOATHOUSE:-}" ]; then
        $BOATHOUSE "$@" # may be several words, so it is split on purpose
    elif [ -x "$here/../../boathouse" ]; then
        "$here/../../boathouse" "$@" # in a clone of Boathouse
    else
        command boathouse "$@"
    fi
}
ask() { boathouse query --format csv "$1" | tail -n 1 | tr -d '\r'; }
say() { printf '\n== %s\n' "$*"; }

expect() {
    found=$(ask "$2")
    if [ "$found" != "$3" ]; then
        printf 'FAILED: %s is %s, expected %s\n' "$1" "$found" "$3" >&2
        exit 1
    fi
    printf 'ok: %s is %s\n' "$1" "$found"
}

# A run that was interrupted may have left the order behind: start from the file without it.
if grep -q "^$order," "$csv"; then
    grep -v "^$order," "$csv" > "$csv.new"
    cat "$csv.new" > "$csv"
    rm "$csv.new"
fi
[ -z "$(tail -c 1 "$csv")" ] || printf '\n' >> "$csv"
rows=$(($(wc -l < "$csv") - 1))

say 'Run the pipeline'
boathouse run
expect 'the number of rows in raw.sales' 'select count(*) from raw.sales' "$rows"
[ "${1:-}" != --undo ] || exit 0

say 'Doctor, before'
boathouse doctor
revenue=$(ask 'select sum(revenue) from marts.daily_revenue')

say 'One more order, and the pipeline again'
printf '%s\n' "$line" >> "$csv"
boathouse run
expect 'the number of rows in raw.sales' 'select count(*) from raw.sales' $((rows + 1))
expect 'the number of rows in staging.stg_sales' 'select count(*) from staging.stg_sales' $((rows + 1))
expect 'the revenue of the new day' "select sum(revenue) from marts.daily_revenue where order_date = date '2024-03-31'" 1500.00
expect 'the total revenue' 'select sum(revenue) from marts.daily_revenue' \
    "$(ask "select cast('$revenue' as decimal(38, 2)) + 1500.00")"

say 'Doctor, after'
boathouse doctor

say 'Done'
echo "The dashboard now has $((rows + 1)) orders, and 31 March. To take the order out again: $0 --undo"
