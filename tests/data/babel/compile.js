// SPDX-License-Identifier: MIT
// usage: node compile.js FILE, from a directory whose node_modules has Babel: the compiled text on standard output
'use strict'
const path = require('path')
const from = p => require.resolve(p, { paths: [process.cwd()] })
const babel = require(from('@babel/core'))
const fs = require('fs')
const file = process.argv[2]
const { code } = babel.transformSync(fs.readFileSync(file, 'utf8'), {
	filename: path.basename(file),
	babelrc: false,
	configFile: false,
	presets: [
		[from('@babel/preset-env'), { targets: { ie: 11 } }],
		[from('@babel/preset-react'), { runtime: 'automatic' }],
		from('@babel/preset-typescript'),
	],
})
process.stdout.write(code)
