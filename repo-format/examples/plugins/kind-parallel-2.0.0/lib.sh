echo 'kind-parallel 2: what dependents source from $PLUGPKG_DEP_KIND_PARALLEL'
