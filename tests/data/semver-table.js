// SPDX-License-Identifier: MIT
// What npm's own `semver` package says of random versions and ranges: semver-table.js SEED VERSIONS RANGES.
// First row: the versions in their order; versions of equal rank are joined by "=". Then a row each:
// RANGE <tab> the versions it matches; "!" where npm finds no range. The same seed gives the same table.
'use strict';
const semver = require('semver');

let state = BigInt(process.argv[2]);
function below(n) {
	state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
	return Number((state >> 33n) % BigInt(n));
}
const pick = (list) => list[below(list.length)];

function number() {
	return pick([0, 0, 1, 1, 2, 3, 9, 10, 11, 99, 100, 4294967296, 9007199254740991, below(1000)]);
}
function identifier() {
	return pick(['0', '1', '2', '10', '11', 'a', 'b', 'alpha', 'beta', 'rc', 'x', 'X', 'A', '-', '--', 'a-b', '0a', '1-', 'rc1',
		String(below(30)), 'z' + below(3)]);
}
function prerelease() {
	const list = [];
	for (let n = 1 + below(4); n > 0; n--)
		list.push(identifier());
	return list.join('.');
}
function version(few) {
	const n = few ? () => below(4) : number;
	let v = `${n()}.${n()}.${n()}`;
	if (below(5) < 2)
		v += '-' + prerelease();
	if (below(10) === 0)
		v += '+b.' + below(9);
	return v;
}
// Without numbers after an x, where npm's own answer depends on the operator and we refuse all of them; and without
// the largest number, above which npm's arithmetic ends and ours does not.
function partial() {
	let v = '', n = 1 + below(3);
	for (let i = 0; i < n; i++) {
		if (below(8) === 0) {
			const x = pick(['x', 'X', '*']);
			v += (i === 0 ? '' : '.') + x;
			while (++i < n)
				v += '.' + x;
			return v;
		}
		v += (i === 0 ? '' : '.') + (below(5) === 0 ? Math.min(number(), 4294967296) : below(4));
	}
	if (n === 3 && below(4) === 0)
		v += '-' + prerelease();
	return (below(12) === 0 ? 'v' : '') + v;
}
function comparator() {
	const op = pick(['', '', '=', '<', '<=', '>', '>=', '>=', '^', '^', '~', '~>']);
	return op + (below(15) === 0 ? ' ' : '') + partial();
}
function alternative() {
	if (below(8) === 0)
		return `${partial()} - ${partial()}`;
	const list = [];
	for (let n = 1 + below(3); n > 0; n--)
		list.push(comparator());
	return list.join(pick([' ', ' ', '  ']));
}
function range() {
	const list = [];
	for (let n = pick([1, 1, 1, 2, 2, 3]); n > 0; n--)
		list.push(alternative());
	let r = list.join(pick(['||', ' || ']));
	// One in twenty is spoiled: what npm refuses we have to refuse, and the other way round. Not with "=", "-" or "~": npm
	// reads some nonsense such as ">==1.3" (and not ">==1.3.0"), and a prerelease of two parts is none to it.
	if (below(20) === 0) {
		const at = below(r.length + 1);
		r = r.slice(0, at) + pick(['|', 'a', '..', '01', '!']) + r.slice(at);
	}
	return r;
}

const versions = new Set();
while (versions.size < Number(process.argv[3]))
	versions.add(version(versions.size % 2 === 0));
const ordered = [...versions].sort((a, b) => semver.compare(a, b) || (a < b ? -1 : 1));
let order = '';
ordered.forEach((v, i) => { order += (i === 0 ? '' : semver.compare(ordered[i - 1], v) === 0 ? '=' : ' ') + v; });
process.stdout.write(order + '\n');
for (let i = Number(process.argv[4]); i > 0; i--) {
	const r = range();
	let parsed = null;
	try { parsed = new semver.Range(r); } catch { /* "!" below */ }
	process.stdout.write(`${r}\t${parsed === null ? '!' : ordered.filter((v) => parsed.test(v)).join(' ')}\n`);
}
