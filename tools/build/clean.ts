// Removes `dist` of the package it runs in, so that a build holds nothing of files that are gone.

import { rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
