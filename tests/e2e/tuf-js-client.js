// SPDX-License-Identifier: MIT
// usage: tuf-js-client.js METADATA_DIR TARGET_DIR URL: refreshes and prints the index root
'use strict'
const fs = require('fs')
const { Updater } = require('tuf-js')

const [metadataDir, targetDir, url] = process.argv.slice(2)
async function main() {
	const updater = new Updater({
		metadataDir,
		targetDir,
		metadataBaseUrl: url + '/metadata',
		targetBaseUrl: url + '/targets',
	})
	await updater.refresh()
	const target = await updater.getTargetInfo('index/root.json')
	if (!target) throw new Error('index/root.json is not listed')
	process.stdout.write(fs.readFileSync(await updater.downloadTarget(target, targetDir + '/root.json'), 'utf8'))
}
main().catch(e => { console.error(String(e.stack || e)); process.exit(1) })
