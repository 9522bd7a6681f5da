#!/bin/bash
# Runs commands of percept under 40 limits of address space (ulimit -v) and tells what became of each: it has to work or to say why
# not in a line of its own. Below about 740 MB Go's own runtime cannot begin, nor in a window near 1.3 GB; those are counted apart.
#
#	tools/limits/limits.sh PERCEPT DEMO      a program and a finished run of percept demo, which is not changed
#
# Exit status 1 if a command ended in any other way.
set -u
percept=$1 demo=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$demo/features" "$work/features"
"$percept" nsd prepare --data "$demo/nsd" --subject subj01 --roi streams:early --zscore session --out "$work/subj01" >"$work/log" 2>&1 &&
	"$percept" fit --responses "$work/subj01" --features "$work/features" --feature z --out "$work/z.safetensors" >>"$work/log" 2>&1 ||
	{ cat "$work/log"; exit 1; }
commands=(
	"generate --prompt cat --steps 2 --out $work/a.png"
	"generate --prompt cat --steps 2 --size 512x512 --out $work/b.png"
	"features --data $demo/nsd --images 0-9 --out $work/made"
	"nsd prepare --data $demo/nsd --subject subj01 --roi streams:ventral --out $work/ventral"
	"fit --responses $work/subj01 --features $work/features --feature z --out $work/again.safetensors"
	"decode --model $work/z.safetensors --responses $work/subj01 --features $work/features --out $work/d.safetensors"
	"run $demo/experiment.toml --out $demo --dry-run"
)
bad=0
for command in "${commands[@]}"; do
	works=0 refused=0 go=0
	for ((mb = 100; mb <= 4000; mb += 100)); do
		rm -rf "$work"/{a,b}.png "$work/made" "$work/ventral" "$work/again.safetensors" "$work/d.safetensors"
		said=$(ulimit -v $((mb * 1000)) && PERCEPT_CACHE=off exec "$percept" $command 2>&1 >/dev/null)
		status=$?
		if [ $status = 0 ]; then
			works=$((works + 1))
		elif [ $status = 1 ] && grep -q '^percept: ' <<<"$said" && ! grep -q '^goroutine ' <<<"$said"; then
			refused=$((refused + 1))
		elif ! "$percept" version >/dev/null || ! (ulimit -v $((mb * 1000)) && exec "$percept" version) >/dev/null 2>&1; then
			go=$((go + 1))
		else
			bad=$((bad + 1))
			echo "ulimit -v $((mb * 1000)): status $status of percept $command:"
			head -3 <<<"$said"
		fi
	done
	echo "$works work, $refused say why not, $go without a Go runtime: percept $command" | sed "s|$work|WORK|g"
done
exit $((bad > 0))
