#!/bin/sh
# lemur env with the real program: lists, a game played through a pipe, policies, states that are kept, and slips.
#   tests/env_test.sh      LEMUR: the program ($B/lemur); LEMUR_DATA: published data (../shared/data)
set -u
lemur=${LEMUR:-${B:-build}/lemur}
. tools/expect.sh
data=${LEMUR_DATA:-../shared/data}

expect 0 'env list household' "$lemur" env list --help
expect 2 'did you mean household' "$lemur" env list househol
expect 2 'did you mean household' "$lemur" env play househol
expect 2 'WORLD is missing' "$lemur" env play
expect 1 'lemur env make -o FOLDER makes some' "$lemur" env play household --data "$work/nothing"
expect 0 'not here' "$lemur" env list --data "$work/nothing"
expect 2 'there is no policy' "$lemur" env score household --policy nobody --data "$data"

# A question of our own to a database of our own.
mkdir -p "$work/data/intercode/sql"
cat > "$work/data/intercode/sql/ic_spider_dev.json" <<'END'
[{"db": "pets", "query": "Who is old?", "gold": "SELECT name FROM dogs WHERE age > 9", "hardness": "easy", "db_tables": {"dogs": ["name", "age"]}}]
END
cat > "$work/data/intercode/sql/ic_spider_dbs.sql" <<'END'
CREATE DATABASE `pets`;
USE `pets`;
CREATE TABLE `dogs` (`name` varchar(20) DEFAULT NULL, `age` int DEFAULT NULL);
INSERT INTO `dogs` VALUES ('Rex',12),('Ada',3),('Old',10);
END
own="--data $work/data"
expect 0 'Who is old?' "$lemur" env list sql $own
expect 0 "[('Rex',), ('Old',)]" "$lemur" env play sql 0 --policy expert $own
expect 0 'solved in 1 steps' "$lemur" env play sql/0 --policy expert $own
expect 0 'reward 0.5' sh -c 'echo "SELECT name FROM dogs WHERE age > 11" | "$1" env play sql $2' - "$lemur" "$own"
expect 0 '"solved":true' sh -c 'printf "SHOW TABLES\nSELECT name FROM dogs WHERE age > 9\nSHOW TABLES\n" | "$1" env play sql --json $2' \
    - "$lemur" "$own"
ok "a line each, and none behind the end" test "$(printf 'SHOW TABLES\nSELECT name FROM dogs WHERE age > 9\nSHOW TABLES\n' |
    "$lemur" env play sql --json $own 2> /dev/null | wc -l)" -eq 3
expect 0 'no query' sh -c 'echo hello | "$1" env play sql $2' - "$lemur" "$own"
expect 1 'cannot list' sh -c 'echo /actions | "$1" env play sql $2' - "$lemur" "$own"
expect 0 'dogs' sh -c 'printf "SHOW TABLES\nSELECT 1\n/undo\n/save %s\n" "$3" | "$1" env play sql $2' - "$lemur" "$own" "$work/state"
ok "what is taken back is not kept" sh -c 'grep -q "SHOW TABLES" "$1" && ! grep -q "SELECT 1" "$1"' - "$work/state"
expect 0 "[('dogs',)]" "$lemur" env play sql --load "$work/state" $own --json
sed 's/Rex/Max/; s/dogs/cats/g' "$work/data/intercode/sql/ic_spider_dbs.sql" > "$work/other"
cp "$work/other" "$work/data/intercode/sql/ic_spider_dbs.sql"
expect 1 'lead elsewhere now' "$lemur" env play sql --load "$work/state" $own
expect 1 'no saved state' "$lemur" env play sql --load "$work/other" $own

# Scores: the expert's, chance's, a script's.
sed 's/cats/dogs/g' "$work/other" > "$work/data/intercode/sql/ic_spider_dbs.sql"
echo '{"task": "0", "actions": ["SHOW TABLES", "SELECT name FROM dogs WHERE age > 9"]}' > "$work/script.jsonl"
echo 'SHOW TABLES' > "$work/script.txt"
"$lemur" env score sql --policy "expert,random,script:$work/script.jsonl,script:$work/script.txt" $own --json > "$work/scores" 2> "$work/err"
ok "four scores" test "$(grep -c '"success":' "$work/scores")" -eq 4
ok "1, 0, 1 and 0" test "$(grep -o '"success": [01]' "$work/scores" | grep -o '[01]$' | tr -d '\n')" = 1010
expect 0 '100.0 %' "$lemur" env score sql --policy expert $own
echo '{"task": "0"}' > "$work/bad.jsonl"
expect 1 'line 1: an object with "task" and "actions"' "$lemur" env score sql --policy "script:$work/bad.jsonl" $own

if [ -d "$data/mint/alfworld/games" ]; then
    expect 0 'Your task is to' "$lemur" env play household --policy random --steps 3 --data "$data"
    expect 0 'go to ' sh -c 'echo /actions go | "$1" env play household pick_heat --data "$2"' - "$lemur" "$data"
    ok "chance is the same for the same seed" sh -c '"$1" env play household --policy random --data "$2" > "$3/a" 2>&1
        "$1" env play household --policy random --data "$2" > "$3/b" 2>&1; cmp "$3/a" "$3/b"' - "$lemur" "$data" "$work"
else
    echo "SKIP no games in $data"
fi

finish
