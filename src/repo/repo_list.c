/* SPDX-License-Identifier: MIT */
/* `plugpkg-repo list`. */
#include "repo/repo_cli.h"
#include "term/table.h"

static void
view_versions(struct cli *cli)
{
	PP_CLEANUP(table_fini) struct table t = { .n_columns = 5 };
	const pp_json *row;

	for (size_t i = 0; (row = view_next(cli, "version", &i)) != NULL;) {
		char size[OUT_SIZE_TEXT];
		table_add(&t, view_str(row, "name"));
		table_add(&t, view_str(row, "version"));
		table_add(&t, view_str(row, "status"));
		table_add(&t, out_size(view_bytes(row, "size"), size));
		table_add(&t, view_str(row, "summary"));
	}
	table_print(&t, &cli->out);
}

static enum plugpkg_code
list_run(struct cli *cli)
{
	enum plugpkg_code rc = plugpkg_repo_list(repo_cli_repo(cli), cli_row, cli, &cli->err);

	if (rc == PLUGPKG_OK)
		cli_show(cli, view_versions);
	return rc;
}

const struct cmd repo_list = {
	.name = "list",
	.summary = "list what is published and what is staged",
	.run = list_run,
};
