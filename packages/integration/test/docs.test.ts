import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Block, guides } from './support/guide.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CLI = join(ROOT, 'apps/cli/src');
/** Packages whose protocols and codes other implementations meet. */
const SOURCES = [...folders('packages').filter((name) => !name.endsWith('/testing')), 'apps/cli'];
const VERIFY = '/usr/bin/systemd-analyze';
const WIRE = readFileSync(join(ROOT, 'docs/wire.md'), 'utf8');

function folders(parent: string): string[] {
  return readdirSync(join(ROOT, parent)).map((name) => `${parent}/${name}`);
}

function sourcesIn(folder: string): string[] {
  const path = join(ROOT, folder, 'src');
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(path, file), 'utf8'));
}

function allMatches(pattern: RegExp): RegExpMatchArray[] {
  return SOURCES.flatMap(sourcesIn).flatMap((source) => [...source.matchAll(pattern)]);
}

describe('the wire protocol', () => {
  const protocols = allMatches(/\bprotocol(?:<[^(]*>)?\(\{(?<options>[^}]*)/g).map(({ groups }) => {
    const [, name] = /name: '([^']+)'/.exec(groups?.['options'] ?? '') ?? [];
    const [, version = '1'] = /version: (\d+)/.exec(groups?.['options'] ?? '') ?? [];
    return `${name}/${version}`;
  });

  it('has protocols', () => {
    expect(protocols).toEqual(
      expect.arrayContaining(['transport/liveness/1', 'stream/1', 'groups/bond/2', 'mosaik/inspection/1']),
    );
    expect(protocols.filter((id) => id.startsWith('undefined'))).toEqual([]);
  });

  it.each(protocols)('tells of %s', (id) => {
    expect(WIRE).toContain(`\`${id}\``);
  });

  it.each(allMatches(/\.topic(?:<[^(]*>)?\('([^']+)'/g).map(([, name]) => name))(
    'tells of the topic %s',
    (name) => {
      expect(WIRE).toContain(`topic \`${name}\``);
    },
  );

  const codes = folders('packages')
    .map((folder) => join(ROOT, folder, 'src/codes.ts'))
    .filter(existsSync)
    .flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/^ {2}\w+: (\d+),$/gm)].map(([, code]) => code),
    );

  it('has codes of five packages', () => {
    expect(new Set(codes.map((code) => Math.floor(Number(code) / 10_000))).size).toBe(5);
  });

  it.each(codes)('tells what %s means', (code) => {
    expect(WIRE).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'));
  });
});

describe('the codes of errors', () => {
  const thrown = new Set(
    folders('packages')
      .filter((name) => !name.endsWith('/testing'))
      .flatMap(sourcesIn)
      .flatMap((source) => [...source.matchAll(/'(ERR_[A-Z_]+)'/g)].map(([, code]) => code ?? ''))
      // Node's.
      .filter((code) => code !== 'ERR_OUT_OF_RANGE'),
  );
  const told = readFileSync(join(ROOT, 'docs/guide/errors.md'), 'utf8');

  it.each([...thrown].sort())('%s is in the list', (code) => {
    expect(told).toMatch(new RegExp(`^\\| \`${code}\` \\|`, 'm'));
  });

  it('the list has no others', () => {
    const listed = [...told.matchAll(/^\| `(ERR_[A-Z_]+)` \|/gm)].map(([, code]) => code ?? '');
    expect(listed.filter((code) => !thrown.has(code))).toEqual([]);
  });
});

describe('links within the docs', () => {
  const inDocs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map(
    (file) => `docs/${file}`,
  );
  const inFolders = [...folders('packages'), ...folders('apps')].map((folder) => `${folder}/README.md`);
  const ofTheWhole = readdirSync(ROOT);
  const pages = [...ofTheWhole, ...inDocs, ...inFolders].filter(
    (file) => file.endsWith('.md') && existsSync(join(ROOT, file)),
  );

  it.each(pages)('of %s lead somewhere', (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:)(?<file>[^)#\s]*)(?:#(?<place>[^)]*))?\)/g)];
    const broken = links.filter(({ groups }) => {
      const { file = '', place } = groups ?? {};
      const target = file === '' ? page : join(page, '..', file);
      if (!existsSync(join(ROOT, target))) return true;
      return place !== undefined && !anchorsOf(read(target)).includes(place);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });
});

describe('the guides', () => {
  const blocks: readonly (Block & { readonly guide: string })[] = guides().flatMap(({ name, blocks: all }) =>
    all.map((block) => ({ ...block, guide: name })),
  );
  const units = blocks.filter(({ language, name }) => language === 'ini' && name?.endsWith('.service'));

  it('have only blocks that some test looks at, or a person types', () => {
    const known = ['ts', 'sh', 'text', 'ini', 'console'];
    expect(blocks.filter(({ language }) => !known.includes(language))).toEqual([]);
  });

  it('show commands whose flags there are', () => {
    const lines = blocks
      .filter(({ language }) => ['sh', 'console', 'ini'].includes(language))
      .flatMap(({ content }) =>
        [...content.matchAll(/\bmosaik (?=[a-z])([^|&>\n]*)/g)].map(([, rest]) => rest ?? ''),
      );
    expect(lines.length).toBeGreaterThan(20);
    for (const line of lines) {
      const words = line.trim().split(/\s+/);
      const command = words[0] === 'kv' ? words.slice(0, 2) : words.slice(0, 1);
      for (const flag of line.match(/(?<=\s)--[a-z-]+/g) ?? [])
        expect(helpOf(command), `mosaik ${line}`).toContain(flag);
    }
  });

  it('name only variables that the command line knows', () => {
    const known = new Set(
      sourcesIn('apps/cli')
        .join('\n')
        .match(/MOSAIK_[A-Z_]+/g),
    );
    const named = blocks.flatMap(({ content }) => content.match(/MOSAIK_[A-Z_]+/g) ?? []);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('set the variables that the program of the deployment reads', () => {
    const program = blocks.find(({ name }) => name === 'service.ts')?.content ?? '';
    const set = blocks.find(({ name }) => name === 'environment')?.content ?? '';
    const names = [...set.matchAll(/^(\w+)=/gm)].map(([, name]) => name);
    expect(names).toEqual(program.match(/SHOP_\w+/g)?.filter((name, at, all) => all.indexOf(name) === at));
  });

  it('have units', () => {
    expect(units.map(({ name }) => name)).toEqual(['shop.service', 'mosaik-bootstrap.service']);
  });

  it.skipIf(!existsSync(VERIFY)).each(units)(
    'the unit $name is one that systemd takes',
    ({ name = '', content }) => {
      const folder = mkdtempSync(join(tmpdir(), 'mosaik-unit-'));
      try {
        // What it starts is not installed here.
        writeFileSync(
          join(folder, name),
          content.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`),
        );
        expect(run(VERIFY, ['verify', '--man=no', join(folder, name)])).toBe('');
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** As pages on the web name their headings. */
function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^a-z0-9 _-]/g, '')
      .replaceAll(' ', '-'),
  );
}

const helps = new Map<string, string>();

function helpOf(command: readonly string[]): string {
  const key = command.join(' ');
  const help = helps.get(key) ?? run(process.execPath, [join(CLI, 'main.ts'), ...command, '--help']);
  helps.set(key, help);
  return help;
}

/** Runs a program to its end; what it prints and complains of. */
function run(command: string, args: readonly string[]): string {
  return execFileSync('/bin/sh', ['-c', 'exec "$0" "$@" 2>&1', command, ...args], { encoding: 'utf8' });
}
