import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import { languages, words } from '../../Sources/WebClient/Site/app/words.js';

const root = fileURLToPath(new URL('../../Sources/WebClient/Site', import.meta.url));
const files = readdirSync(root, { recursive: true }).filter((path) => statSync(join(root, path)).isFile()).sort();
const text = (path) => readFileSync(join(root, path), 'utf8');
const index = text('index.html');
const direct = text('direct.html');
const scripts = files.filter((path) => path.endsWith('.js') && path !== 'service-worker.js');
const panel = text('panel.html');
/** The pages /direct, which is there only where the owner wants it, and /panel need the box: no copy of them is kept. */
const ofOtherPages = ['app/direct.js', 'app/framing.js', 'app/panel.js', 'direct.html', 'panel.html'];

/** Three bytes of every byte end up in the executable, at worst. */
const MAX_SITE_BYTES = 256 * 1024;

test('the service worker keeps every file of the page, and no other', () => {
  const kept = [...text('service-worker.js').matchAll(/^ {2}'(\/.*)',$/gm)].map(([, path]) => (path === '/' ? '/index.html' : path));
  assert.deepEqual(kept.sort(), files.filter((path) => path !== 'service-worker.js' && !ofOtherPages.includes(path)).map((path) => `/${path}`));
});

test('the page asks for all its modules at once', () => {
  const asked = [...index.matchAll(/rel="modulepreload" href="(.*)"/g)].map(([, path]) => path);
  assert.deepEqual([...asked, 'app/start.js'].sort(), scripts.filter((path) => !ofOtherPages.includes(path)));
});

test('every import leads to a file', () => {
  for (const path of scripts) {
    for (const [, target] of text(path).matchAll(/(?:from|import\() ?'(.+?)'/g)) {
      assert.ok(files.includes(join(path, '..', target)), `${path} imports ${target}`);
    }
  }
});

test('nothing is loaded from elsewhere, and nothing inline that the policy forbids', () => {
  for (const path of files.filter((path) => /\.(html|css|js|webmanifest)$/.test(path))) {
    assert.doesNotMatch(text(path), /(?:src|href|url|import)\s*[=(:]\s*["']?(?:https?:)?\/\//, path);
  }
  for (const page of [index, direct, panel]) assert.doesNotMatch(page, /<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=|<style/);
});

test('no code turns text into markup', () => {
  for (const path of scripts) {
    assert.doesNotMatch(text(path), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/, path);
  }
});

test('every text the page and the code name exists, and every text is used', () => {
  const named = new Set([...index.matchAll(/data-words(?:-label|-placeholder)?="(\w+)"/g)].map(([, key]) => key));
  for (const path of scripts) for (const [, key] of text(path).matchAll(/\bwords\.(?!js\b)(\w+)/g)) named.add(key);
  for (const key of named) assert.ok(key in words, key);
  assert.deepEqual(Object.keys(languages.en).filter((key) => !named.has(key)), []);
});

test('every element the code looks up by id is in the page', () => {
  for (const path of scripts) {
    for (const [, id] of text(path).matchAll(/\$\('([\w-]+)'\)/g)) assert.match(index, new RegExp(` id="${id}"`), `${path}: ${id}`);
  }
  const ids = [...index.matchAll(/ id="([\w-]+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length, 'an id twice');
});

test('the manifest names icons that are there, in the sizes it says', () => {
  const manifest = JSON.parse(text('manifest.webmanifest'));
  for (const { src, sizes, type } of manifest.icons) {
    if (type !== 'image/png') continue;
    const bytes = readFileSync(join(root, src));
    assert.equal(`${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`, sizes);
  }
  assert.equal(manifest.start_url, '/');
});

test('the page stays small', () => {
  assert.ok(files.reduce((sum, path) => sum + statSync(join(root, path)).size, 0) < MAX_SITE_BYTES);
});
