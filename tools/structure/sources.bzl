"""What is linked into a program, by folder: its own source files, the archives made of them, or one source file that includes all.

An aspect walks the dependencies, so a new package is covered without being named anywhere.
"""

_Product = provider(fields = ["sources", "archives"])

def _in_folders(label, folders):
    if label.workspace_name:
        return False
    for folder in folders:
        if label.package == folder or label.package.startswith(folder + "/"):
            return True
    return False

def _archives(target):
    if CcInfo not in target:
        return []
    files = []
    for linked in target[CcInfo].linking_context.linker_inputs.to_list():
        if linked.owner == target.label:
            for library in linked.libraries:
                archive = library.static_library or library.pic_static_library
                if archive:
                    files.append(archive)
    return files

def _product_impl(target, ctx):
    sources = []
    archives = []
    mine = _in_folders(target.label, ["core", "sim", "net_real", "cli", "tools"])
    for name in ("srcs", "hdrs"):
        if mine and hasattr(ctx.rule.attr, name):
            for source in getattr(ctx.rule.attr, name):
                sources += [f for f in source.files.to_list() if f.is_source]
    if mine:
        archives = _archives(target)
    deps = [dep[_Product] for dep in getattr(ctx.rule.attr, "deps", []) if _Product in dep]
    return [_Product(
        sources = depset(sources, transitive = [dep.sources for dep in deps]),
        archives = depset(archives, transitive = [dep.archives for dep in deps]),
    )]

_product = aspect(implementation = _product_impl, attr_aspects = ["deps"])

def _files(ctx, field):
    files = depset(transitive = [getattr(dep[_Product], field) for dep in ctx.attr.deps]).to_list()
    kept = [f for f in files if _in_folders(f.owner, ctx.attr.folders)]
    return [DefaultInfo(files = depset(kept), runfiles = ctx.runfiles(files = kept))]

def _sources_impl(ctx):
    return _files(ctx, "sources")

def _archives_impl(ctx):
    return _files(ctx, "archives")

_attrs = {
    "deps": attr.label_list(aspects = [_product]),
    "folders": attr.string_list(doc = "top-level folders to keep"),
}

# The source files, headers and protos below `deps` that lie in `folders`.
sources_below = rule(implementation = _sources_impl, attrs = _attrs)

# The static libraries below `deps` that are made in `folders`.
archives_below = rule(implementation = _archives_impl, attrs = _attrs)

def _unity_impl(ctx):
    files = depset(transitive = [dep[_Product].sources for dep in ctx.attr.deps]).to_list()
    sources = sorted([f.short_path for f in files if f.extension == "cc" and _in_folders(f.owner, ctx.attr.folders)])
    out = ctx.actions.declare_file(ctx.label.name + ".cc")
    ctx.actions.write(out, "".join(["#include \"%s\"\n" % path for path in sources]))
    return [DefaultInfo(files = depset([out]))]

# One source file that includes all .cc files below `deps` that lie in `folders`.
unity_source = rule(implementation = _unity_impl, attrs = _attrs)
