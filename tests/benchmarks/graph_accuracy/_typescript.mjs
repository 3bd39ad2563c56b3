// What TypeScript's own resolver says each import of a project's scripts means, printed as JSON.
//
//   node _typescript.mjs <node_modules with typescript, svelte and @vue/compiler-sfc> <root> [condition ...]
//
// Imports are those that a program of the compiler collects. Vue and Svelte files are taken apart by the compilers of
// these languages, and are seen by TypeScript as their language tools do it: `x.vue` as if there were an `x.vue.ts`.
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";

const [modules, root, ...conditions] = process.argv.slice(2);
const require = createRequire(path.join(modules, "x.js"));
const ts = require("typescript");
const svelte = require("svelte/compiler");
const vue = require("@vue/compiler-sfc");

const SCRIPT = /\.([mc]?[jt]s|[jt]sx|vue|svelte)$/;
const COMPONENT = /\.(vue|svelte)$/;
const base = {
  moduleResolution: ts.ModuleResolutionKind.Bundler, module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ESNext,
};
const forced = { allowJs: true, noResolve: true, noLib: true, types: [], jsx: ts.JsxEmit.Preserve, customConditions: conditions };

function files(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : files(file);
    return entry.isFile() && SCRIPT.test(entry.name) ? [file] : [];
  });
}

// The script of a component: its text and whether it is TypeScript.
async function script(file) {
  const source = fs.readFileSync(file, "utf8");
  const blocks = [];
  if (file.endsWith(".svelte")) {
    await svelte.preprocess(source, { script: ({ content, attributes }) => void blocks.push([content, attributes.lang]) });
  } else {
    const { script, scriptSetup } = vue.parse(source).descriptor;
    for (const block of [script, scriptSetup]) if (block) blocks.push([block.content, block.lang]);
  }
  return [blocks.map(([content]) => content).join("\n"), blocks.some(([, lang]) => lang === "ts" || lang === "tsx")];
}

let specifier = "";
const isShadow = (file) => {
  const component = file.replace(/\.ts$/, "");
  return COMPONENT.test(specifier) && component !== file && COMPONENT.test(component) && ts.sys.fileExists(component);
};
const host = {
  ...ts.sys,
  fileExists: (file) => ts.sys.fileExists(file) || isShadow(file),
};

function optionsOf(file) {
  const config = ts.findConfigFile(path.dirname(file), ts.sys.fileExists);
  if (!config || !config.startsWith(root)) return base;
  if (!configs.has(config)) {
    const read = ts.readConfigFile(config, ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent(read.config ?? {}, ts.sys, path.dirname(config));
    const old = [undefined, ts.ModuleResolutionKind.Classic, ts.ModuleResolutionKind.Node10].includes(options.moduleResolution);
    configs.set(config, old && options.module === undefined ? { ...options, ...base } : options);
  }
  return configs.get(config);
}
const configs = new Map();

const found = [];
const seen = files(root);
for (const file of seen) {
  const isComponent = COMPONENT.test(file);
  const [text, isTypescript] = isComponent ? await script(file) : [fs.readFileSync(file, "utf8"), /\.[mc]?tsx?$/.test(file)];
  const name = isComponent ? `${file}.${isTypescript ? "ts" : "js"}` : file;
  const options = { ...optionsOf(file), ...forced, noDtsResolution: !isTypescript };
  const program = ts.createProgram([name], options, {
    ...ts.createCompilerHost(options), fileExists: (other) => other === name || ts.sys.fileExists(other),
    getSourceFile: (other, target) => other === name ? ts.createSourceFile(other, text, target, true) : undefined,
  });
  const source = program.getSourceFile(name);
  for (const literal of source.imports) {
    if (literal.pos < 0 || ts.findAncestor(literal, ts.isJSDoc)) continue; // made by the compiler; in a comment
    specifier = literal.text;
    const { resolvedModule } = ts.resolveModuleName(literal.text, name, options, host, undefined, undefined, ts.getModeForUsageLocation(source, literal, options));
    const other = resolvedModule ? meant(resolvedModule.resolvedFileName) : component(file);
    if (other) found.push([file, other]);
  }
  for (const { fileName } of source.referencedFiles) found.push([file, path.resolve(path.dirname(file), fileName)]);
}

// TypeScript takes no component from a package's `exports`: Node is asked instead.
function component(file) {
  try {
    const other = createRequire(file).resolve(specifier);
    return COMPONENT.test(other) ? other : undefined;
  } catch {
    return undefined;
  }
}

function meant(file) {
  return isShadow(file) ? file.slice(0, -3) : file;
}
const inside = (file) => path.relative(root, file);
const edges = found.filter(([file, other]) => file !== other && other.startsWith(root + path.sep) && !other.includes("/node_modules/"));
console.log(JSON.stringify([seen.map(inside), edges.map((edge) => edge.map(inside))]));
