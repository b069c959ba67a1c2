#!/bin/sh
# Fails, naming file and line, where a folder includes a header that src/LAYERS does not allow it.
#     sh tools/layers.sh [SRC]
# An entry of LAYERS is a folder or one header (corpus/shard.h).  Folders inside a folder (ops/avx2) belong to it.
src=${1:-src}
[ -f "$src/LAYERS" ] || { echo "$src/LAYERS: not there"; exit 1; }
find "$src" -type f \( -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh' -o -name '*.def' \) | LC_ALL=C sort | awk -v src="$src" '
function wrong(where, what) { print where ": " what; errors++ }
# Reads LAYERS: folders from the lowest up, so an entry must stand on an earlier line.
function read_layers(   line, n, i, words, folder, entry, top) {
    while ((getline line < (src "/LAYERS")) > 0) {
        layer_line++
        sub(/#.*/, "", line)
        if (line !~ /[^ \t]/)
            continue
        n = split(line, words, /[ \t]+/)
        if (words[1] !~ /^[a-z]+:$/) {
            wrong(src "/LAYERS:" layer_line, "no line of the form \"folder: folders\"")
            continue
        }
        folder = substr(words[1], 1, length(words[1]) - 1)
        for (i = 2; i <= n; i++) {
            entry = words[i]
            if (entry == "")
                continue
            top = entry
            sub(/\/.*/, "", top)
            if (!(top in known))
                wrong(src "/LAYERS:" layer_line, folder " may not include " entry ", which stands above it or nowhere")
            allowed[folder, entry]
        }
        known[folder]
    }
}
function check_include(file, number, folder, header,   top) {
    if (header !~ /\//) {
        wrong(file ":" number, "\"" header "\" must name its folder")
        return
    }
    top = header
    sub(/\/.*/, "", top)
    if (top != folder && !((folder, top) in allowed) && !((folder, header) in allowed))
        wrong(file ":" number, folder " may not include " header " (see " src "/LAYERS)")
}
function check_file(file,   line, number, folder, header) {
    folder = substr(file, length(src) + 2)
    if (folder !~ /\//) {
        wrong(file, "a source file belongs into a folder")
        return
    }
    sub(/\/.*/, "", folder)
    if (!(folder in known)) {
        wrong(file, "the folder " folder " is not in " src "/LAYERS")
        return
    }
    while ((getline line < file) > 0) {
        number++
        if (line !~ /^[ \t]*#[ \t]*include[ \t]*"/)
            continue
        header = line
        sub(/^[^"]*"/, "", header)
        sub(/".*/, "", header)
        includes++
        check_include(file, number, folder, header)
    }
    close(file)
}
BEGIN { read_layers() }
{ files++; check_file($0) }
END {
    if (!includes)
        wrong(src, "no #include was found to check")
    if (errors) {
        print errors " wrong in the layers"
        exit 1
    }
    print "layers: " files " files, " includes " includes, none upward"
}'
