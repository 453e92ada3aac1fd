#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Requests by mail: burin enrolls with files that are mails, and what "burin
# authority intake" makes of them in the place of a mail server's pipe.
# shellcheck source=tests/lib.sh
. "$SOURCE_DIR/tests/lib.sh"
need jq sqlite3 pgrep

authority_init
grep -qx 'mail_from = refuse' "$work/ca/authority.cnf" || die 'another default'
sed -i 's/^retry_after = .*/retry_after = 1/; s/^#profile = .*/profile = default/' \
	"$work/ca/authority.cnf"
softhsm_token card

# setting NAME VALUE: in authority.cnf.
setting() { sed -i "s/^$1 = .*/$1 = $2/" "$work/ca/authority.cnf"; }
# ask NAME [options]: the mail in $work/NAME.crq, still without From; the job
# in $job.
ask() {
	local name=$1
	shift
	b 6 enroll --json --token card --label "$name" --profile default \
		--protocol file --mime --request-file "$work/$name.crq" \
		--trust "$work/ca/ca.pem" --pin-source "file:$work/pin" "$@"
	job=$(j .id)
}
# cmc NAME [options]: a message of CMC, proved with the secret of an invite.
cmc() {
	local name=$1
	shift
	invite "$name" default
	ask "$name" --format cmc --user "$name" \
		--secret "file:$work/secret-$name" "$@"
}
# send EXIT NAME [FIELD...] [-- options]: it comes in, with these fields; the
# answer in $work/NAME.crp.
send() {
	local want=$1 name=$2 got=0
	shift 2
	: >"$work/mail"
	while (($# > 0)) && [[ $1 != -- ]]; do
		printf '%s\n' "$1" >>"$work/mail"
		shift
	done
	[[ ${1:-} != -- ]] || shift
	cat "$work/$name.crq" >>"$work/mail"
	burin "${ca_module[@]}" authority intake "$work/ca" \
		--pin-source "file:$work/pin" "$@" <"$work/mail" \
		>"$work/$name.crp" 2>"$work/err" || got=$?
	cp "$work/$name.crp" "$work/out"
	[[ $got == "$want" ]] || die "exit $got, not $want: intake of $name"
}
# silent NAME: it was not answered.
silent() { [[ ! -s $work/$1.crp ]] || die "$1 was answered"; }
resume() {
	local want=$1
	shift
	b "$want" resume --json "$job" --pin-source "file:$work/pin" "$@"
}
alice='From: Alice Example <alice@example.com>'
id='Message-ID: <one@example.com>'

# --- a whole enrolment ------------------------------------------------------------
cmc alice --san email:alice@example.com
send 0 alice "$alice" "$id" 'References: <zero@example.com>' \
	'Return-Path: <alice@example.com>' -- --reply-from ca@example.org
says 'mail alice@example.com success invite:'
for field in 'From: ca@example.org' 'To: alice@example.com' \
	'Subject: Answer of the authority: success' 'Auto-Submitted: auto-replied' \
	'In-Reply-To: <one@example.com>' \
	'References: <zero@example.com> <one@example.com>' 'MIME-Version: 1.0'; do
	grep -qxF "$field" "$work/alice.crp" || die "no field $field"
done
resume 0 --response-file "$work/alice.crp"
is .state 'done'
b 0 authority log "$work/ca"
says 'via mail profile default'
ok 'CMC: a request in a mail, a certificate in the answer'

send 0 alice "$alice"
[[ $(issued_count '') == 1 ]] || die 'the same mail got another certificate'
ok 'the same mail again: the same certificate'

cmc crmf --san email:alice@EXAMPLE.com --inner crmf
send 0 crmf "$alice"
resume 0 --response-file "$work/crmf.crp"
is .state 'done'
ok 'CRMF; the domain has no case'

cmc bound --san email:alice@example.com
send 0 bound "$alice" -- --profile tls-client
resume 0 --response-file "$work/bound.crp"
is .state 'done'
ok '--profile is for those that have none'

# --- whom a mail is from ----------------------------------------------------------
cmc mallory --san email:alice@example.com
send 0 mallory 'From: mallory@example.com' -- --json
is .answered true
is .cmc failed
is .failInfo badIdentity
is .from mallory@example.com
jq -r .mail "$work/out" >"$work/mallory.crp"
resume 5 --response-file "$work/mallory.crp"
b 0 authority log "$work/ca"
says 'mail by invite:'
says '(mail-from)'
for from in Alice@example.com alice@example.org; do
	send 0 mallory "From: $from" -- --json
	is .failInfo badIdentity
done
cmc both --san email:alice@example.com --san email:bob@example.com
send 0 both "$alice" -- --json
is .failInfo badIdentity
cmc host --san dns:host.example.com
send 0 host "$alice" -- --json
is .failInfo badIdentity
ok 'refuse: another address, another case, one more address, none'

setting mail_from pending
send 0 host "$alice" -- --json
is .cmc pending
job_host=$job
jq -r .mail "$work/out" >"$work/host.crp"
resume 6 --response-file "$work/host.crp"
b 0 authority pending --json "$work/ca"
is '.requests | length' 1
is '.requests[0].via' mail
id_host=$(j '.requests[0].id')
cp "$work/host.crq" "$work/first"
# The operator was asked, and decides, whatever the setting is now.
setting mail_from accept
send 0 host "$alice" -- --json
is .cmc pending
setting mail_from pending
sleep 1.1
resume 6
cmp -s "$work/host.crq" "$work/first" && die 'the request again, no question'
send 0 host "$alice" -- --json
is .cmc pending
b 0 authority approve "$work/ca" "$id_host"
send 0 host "$alice"
resume 0 --response-file "$work/host.crp"
is .state 'done'
[[ $job == "$job_host" ]] || die 'another job'
ok 'pending: waits for the operator, is asked for by mail (queryPending)'

setting mail_from accept
cmc any --san dns:any.example.com
send 0 any "$alice"
resume 0 --response-file "$work/any.crp"
is .state 'done'
setting mail_from refuse
ok 'accept: whoever it is from'

# --- a bare PKCS#10 ---------------------------------------------------------------
ask plain --san email:alice@example.com
send 0 plain 'From: mallory@example.com' -- --json
is .failInfo badIdentity
send 0 plain "$alice" -- --json
is .cmc pending
is .who mail:alice@example.com
[[ $(sqlite3 "$work/ca/authority.db" \
	"SELECT count(*) FROM talks WHERE principal LIKE 'mail:%'") == 0 ]] ||
	die 'something is kept for a poll that nobody can make'
for policy in accept pending; do
	setting mail_from $policy
	send 0 plain "$alice" -- --json
	is .cmc pending
done
setting mail_from refuse
b 0 authority pending --json "$work/ca"
is '.requests | length' 1
is '.requests[0].who' mail:alice@example.com
is '.requests[0].form' pkcs10
b 0 authority approve "$work/ca" "$(j '.requests[0].id')"
send 0 plain "$alice"
grep -q 'smime-type=certs-only' "$work/plain.crp" || die 'no certs-only'
resume 0 --response-file "$work/plain.crp"
is .state 'done'
ok 'PKCS#10: never issued without the operator, then certs-only'

ask denied --san email:alice@example.com
send 0 denied "$alice"
b 0 authority pending --json "$work/ca"
b 0 authority deny "$work/ca" "$(j '.requests[0].id')" --why 'call me'
send 0 denied "$alice" -- --json
is .cmc failed
setting mail_from pending
cmc refused --san dns:refused.example.com
send 0 refused "$alice"
b 0 authority pending --json "$work/ca"
b 0 authority deny "$work/ca" "$(j '.requests[0].id')"
setting mail_from accept
send 0 refused "$alice" -- --json
is .cmc failed
setting mail_from refuse
ok 'denied is denied'

# Denied long ago: forgotten when the next one comes, though no server runs.
old=$(sqlite3 "$work/ca/authority.db" "UPDATE requests SET decided = 1
	WHERE principal LIKE 'mail:%' AND state = 'denied' RETURNING id")
[[ -n $old ]] || die 'nothing is denied'
setting mail_from pending
send 0 refused "$alice"
setting mail_from refuse
[[ -z $(sqlite3 "$work/ca/authority.db" \
	"SELECT id FROM requests WHERE id = $old") ]] || die 'nothing is forgotten'
ok 'what is over is forgotten'

# --- what is not answered ---------------------------------------------------------
cmc loop --san email:alice@example.com
audit() { sqlite3 "$work/ca/authority.db" 'SELECT count(*) FROM audit'; }
before=$(audit)
for field in 'Auto-Submitted: auto-replied' 'Auto-Submitted: auto-generated; x=y' \
	'Precedence: bulk' 'Precedence: LIST' 'Return-Path: <>' \
	'Return-Path: <MAILER-DAEMON>' 'List-Id: <burin.example.org>'; do
	send 0 loop "$alice" "$field"
	silent loop
	says 'not answered'
done
send 0 loop 'From: MAILER-DAEMON@example.com'
silent loop
for sender in '' '<>' MAILER-DAEMON bob@example.com Alice@example.com; do
	send 0 loop "$alice" -- --sender "$sender"
	silent loop
done
send 0 loop "$alice" 'Precedence: bulk' -- --json
is .answered false
# An answer of ours that came back.
cp "$work/loop.crq" "$work/kept"
cp "$work/alice.crp" "$work/loop.crq"
send 0 loop "$alice"
silent loop
cp "$work/kept" "$work/loop.crq"
send 0 loop "$alice" -- --dry-run
says 'would answer a message of CMC from alice@example.com'
[[ $(audit) == "$before" ]] || die 'something happened'
send 0 loop "$alice" 'Auto-Submitted: no' -- --sender alice@EXAMPLE.com
resume 0 --response-file "$work/loop.crp"
ok 'programs, lists and nobody get no answer'

# --- what is the fault of the mail --------------------------------------------------
printf 'Subject: hello\n\nmay I have a certificate?\n' >"$work/bad.crq"
send 0 bad "$alice"
silent bad
says 'has no part of type application/pkcs10'
: >"$work/bad.crq"
send 0 bad
silent bad
head -c 3000000 /dev/zero >"$work/bad.crq"
send 0 bad "$alice"
silent bad
says 'longer than'
head -c 100000 /dev/urandom >"$work/bad.crq"
send 0 bad "$alice"
silent bad
sed 's/^[A-Za-z0-9+/]\{20\}/AAAAAAAAAAAAAAAAAAAA/' "$work/loop.crq" >"$work/bad.crq"
send 0 bad "$alice"
silent bad
says 'no whole request'
part() { printf -- '--x\n' && cat "$work/$1.crq"; }
{
	printf 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n'
	part alice
	part crmf
	printf -- '--x--\n'
} >"$work/bad.crq"
send 0 bad "$alice"
silent bad
says 'more than one request'
send 0 loop
silent loop
says 'who it is from'
send 0 loop 'From: alice@example.com, bob@example.com'
silent loop
send 0 loop 'From: "a b"@example.com'
silent loop
says 'an address that is none'
send 0 bad "$alice" -- --json
is .answered false
is '.why | contains("more than one request")' true
b 0 authority log --verify "$work/ca"
ok 'no request, two, garbage, too long, nobody or two who ask: no answer, no bounce'

# --- what the front has -----------------------------------------------------------
# Its keeper waits for a PIN, and so does it.
cmc held --san email:alice@example.com
mkfifo "$work/pin-later"
{ printf '%s\n' "$alice" && cat "$work/held.crq"; } >"$work/mail"
burin "${ca_module[@]}" authority intake "$work/ca" \
	--pin-source "file:$work/pin-later" <"$work/mail" \
	>"$work/held.crp" 2>"$work/err" &
intake=$!
keeper=
for ((i = 0; i < 100; i++)); do
	keeper=$(pgrep -P "$intake") && front=$(pgrep -xP "$keeper" burin) && break
	sleep 0.1
done
# The very first moment of it is not what is meant.
for ((i = 0; i < 20; i++)); do
	[[ $(readlink "/proc/$front/fd/1") != "$work/err" ]] || break
	sleep 0.1
done
if [[ -r /proc/$front/maps ]]; then
	[[ $(readlink "/proc/$keeper/fd/1") == "$work/held.crp" ]] ||
		die 'no mail'
	[[ $(readlink "/proc/$front/fd/1") == "$work/err" ]] ||
		die 'the front has the mail that goes out'
fi
cat "$work/pin" >"$work/pin-later"
wait "$intake" || die 'a PIN that came late'
resume 0 --response-file "$work/held.crp"
is .state 'done'
ok 'the front cannot write into the mail that goes out'

# --- what is not: 75 --------------------------------------------------------------
echo 999999 >"$work/wrong"
cmc late --san email:alice@example.com
send 75 late "$alice" -- --token x
send 75 late "$alice" -- --pin-source "file:$work/nowhere"
mv "$work/ca/authority.db" "$work/authority.db"
send 75 late "$alice"
silent late
mv "$work/authority.db" "$work/ca/authority.db"
mv "$work/tokens" "$work/tokens.away"
mkdir "$work/tokens"
send 75 late "$alice"
rmdir "$work/tokens"
mv "$work/tokens.away" "$work/tokens"
mkfifo "$work/fifo"
burin "${ca_module[@]}" authority intake "$work/ca" <"$work/fifo" \
	>"$work/late.crp" 2>"$work/err" &
intake=$!
exec {hold}>"$work/fifo"
for ((i = 0; i < 100; i++)); do
	worker=$(pgrep -P "$intake") && break
	sleep 0.1
done
kill -9 "$worker"
got=0
wait "$intake" || got=$?
exec {hold}>&-
[[ $got == 75 ]] || die "exit $got of one that was killed"
silent late
mkdir "$work/bin"
cp "$BUILD_DIR/bin/burin" "$work/bin/burin"
for signal in KILL TERM; do
	printf '#!/bin/sh\nkill -%s $$\n' "$signal" >"$work/bin/burin-mime"
	chmod +x "$work/bin/burin-mime"
	PATH=$work/bin:$PATH send 75 late "$alice"
	silent late
done
setting mail_from never
send 75 late "$alice"
setting mail_from refuse
send 0 late "$alice"
resume 0 --response-file "$work/late.crp"
ok 'no token, no store, no settings, killed: the mail waits in its queue'

# --- beside the server ------------------------------------------------------------
authority_serve
cmc beside --san email:alice@example.com
send 0 beside "$alice"
resume 0 --response-file "$work/beside.crp"
is .state 'done'
b 0 authority log --verify "$work/ca"
ok 'while the server runs'
