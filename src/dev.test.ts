import { expect, test } from 'vitest'
import { selectionFor } from './dev.ts'

test.each([
  [['dashboards/sales.yml'], undefined],
  [['metrics/sales.yml', 'README.md'], undefined],
  [['models/staging/stg_sales.sql'], ['stg_sales+']],
  [
    ['models/a.sql', 'dashboards/sales.yml', 'models/m/b.sql'],
    ['a+', 'b+'],
  ],
  [['sales.csv'], []],
  [['sources/sales.yml', 'models/a.sql'], []],
  [['macros/x.sql'], []],
  [['models/staging/schema.yml'], []],
])('%j runs %j', (files, selection) => expect(selectionFor(files)).toEqual(selection))
