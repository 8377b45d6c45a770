SELECT cents FROM invoice ORDER BY id
