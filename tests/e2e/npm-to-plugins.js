// SPDX-License-Identifier: MIT
// Makes the source directory of a plugin of each package that npm installed: names stay, `dependencies`
// become `requires`. usage: npm-to-plugins.js NODE_MODULES OUT
'use strict'
const fs = require('fs')
const path = require('path')

const [from, to] = process.argv.slice(2)
const lock = JSON.parse(fs.readFileSync(path.join(from, '.package-lock.json'), 'utf8'))
let count = 0
for (const place of Object.keys(lock.packages)) {
	const name = place.replace(/^node_modules\//, '')
	if (name.includes('node_modules/')) throw new Error(`npm needed two versions: ${place}`)
	const dir = path.join(to, name.replace('/', '+'))
	const source = path.join(from, name)
	const pkg = JSON.parse(fs.readFileSync(path.join(source, 'package.json'), 'utf8'))
	fs.cpSync(source, dir, { recursive: true })
	const manifest = {
		name,
		version: pkg.version,
		summary: String(pkg.description || name).split('\n')[0].slice(0, 200),
		license: typeof pkg.license === 'string' ? pkg.license : 'unknown',
		requires: pkg.dependencies || {},
	}
	fs.writeFileSync(path.join(dir, 'plugin.json'), JSON.stringify(manifest, null, 2) + '\n')
	count++
}
console.log(count)
