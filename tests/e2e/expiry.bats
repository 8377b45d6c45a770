# SPDX-License-Identifier: MIT
# What a publisher is told before signatures expire, and how they are renewed.

setup() {
	load ../helpers
	load keys
	setup_scratch
	export PLUGPKG_REPO=$SCRATCH/repo
}

@test "expire-check tells what is due and what renews it, and ends with a status for monitoring" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	make_root
	run plugpkg-repo expire-check
	assert_status 0
	assert_has "root" "timestamp" "days left"
	now=$(date +%s)
	PLUGPKG_NOW=$((now + 5 * 86400)) run plugpkg-repo expire-check
	assert_status 100
	assert_has "plugpkg-repo refresh"
	PLUGPKG_NOW=$((now + 8 * 86400)) run plugpkg-repo expire-check --json
	assert_status 6
	assert_equal "$(json_get 'select(.type == "expiry" and .role == "timestamp").status')" expired
	assert_equal "$(json_get 'select(.type == "result").code')" metadata-expired
	run plugpkg-repo expire-check --within 400
	assert_status 100
	run plugpkg-repo expire-check --within x
	assert_status 2
}

@test "root and targets are renewed before their year ends, and publish and refresh warn in time" {
	make_repo
	publish "$(build_plugin user 1.0.0)"
	make_root
	now=$(date +%s)
	export PLUGPKG_NOW=$((now + 340 * 86400))
	run plugpkg-repo refresh
	assert_status 0
	assert_has "warning: root expires on" "plugpkg-repo sign --renew root" "warning: targets expires on"
	run plugpkg-repo expire-check
	assert_status 100
	plugpkg-repo sign --renew root >/dev/null
	plugpkg-repo sign --renew targets >/dev/null
	run plugpkg-repo publish
	assert_has "a new root" "a new targets"
	run plugpkg-repo expire-check
	assert_status 0
	export PLUGPKG_NOW=$((now + 400 * 86400))
	plugpkg-repo refresh >/dev/null
	run plugpkg update
	assert_status 0
	run plugpkg-repo sign --renew index
	assert_status 2
	run plugpkg-repo sign
	assert_status 4
	assert_has "nothing waits for a signature"
}

@test "an expired root is renewed too, and its clients follow" {
	make_repo
	make_root
	export PLUGPKG_NOW=$(($(date +%s) + 400 * 86400))
	run plugpkg update
	assert_status 6
	run plugpkg-repo expire-check
	assert_status 6
	assert_has "sign --renew"
	plugpkg-repo sign --renew root >/dev/null
	plugpkg-repo sign --renew targets >/dev/null
	plugpkg-repo publish >/dev/null
	run plugpkg update
	assert_status 0
}
