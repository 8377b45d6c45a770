echo 'kind-parallel 1: what dependents source from $PLUGPKG_DEP_KIND_PARALLEL'
