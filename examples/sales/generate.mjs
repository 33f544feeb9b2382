// Writes sales.csv: 1,000 orders of an invented shop, the same bytes every time.   node generate.mjs
//
// The shape is meant to look like a shop's: weekends sell less, March sells more than January, regions and products
// differ, some customers come often. Every customer orders at least once.

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const seed = 20240101
const firstDay = Date.UTC(2024, 0, 1)
const [days, orders, customers] = [90, 1_000, 200]

const regions = [['North', 24], ['South', 18], ['East', 21], ['West', 22], ['Central', 15]]
// Name, weight, and the unit price in cents: from, to.
const products = [
  ['Laptop', 14, 89_900, 199_950],
  ['Phone', 19, 39_900, 129_950],
  ['Tablet', 13, 24_900, 89_950],
  ['Monitor', 12, 14_900, 59_950],
  ['Headphones', 16, 4_900, 34_950],
  ['Keyboard', 14, 3_450, 17_990],
  ['Mouse', 12, 2_050, 9_990],
]
const quantities = [[1, 46], [2, 24], [3, 15], [4, 9], [5, 6]]

const random = mulberry32(seed)
const dayWeights = Array.from({ length: days }, (_, day) => {
  const weekday = new Date(firstDay + day * 86_400_000).getUTCDay()
  return [day, (weekday === 0 || weekday === 6 ? 0.6 : 1) * (1 + day / 180) * (0.8 + 0.4 * random())]
})
const customerWeights = Array.from({ length: customers }, (_, index) => [index + 1, 0.2 + random() * random() * 2])

const orderDays = Array.from({ length: orders }, () => pick(dayWeights)).sort((a, b) => a - b)
const firstVisits = shuffled(Array.from({ length: orders }, (_, index) => index)).slice(0, customers)
const buyers = new Map(firstVisits.map((order, index) => [order, index + 1]))

const lines = orderDays.map((day, index) => {
  const [product, , from, to] = pickEntry(products)
  return [
    `ORD-${String(index + 1).padStart(4, '0')}`,
    `CUST-${String(buyers.get(index) ?? pick(customerWeights)).padStart(4, '0')}`,
    new Date(firstDay + day * 86_400_000).toISOString().slice(0, 10),
    product,
    pick(quantities),
    ((from + Math.floor(random() * (to - from + 1))) / 100).toFixed(2),
    pick(regions),
  ].join(',')
})
const text = ['order_id,customer_id,order_date,product,quantity,amount,region', ...lines, ''].join('\n')
writeFileSync(fileURLToPath(new URL('sales.csv', import.meta.url)), text)

function pickEntry(weighted) {
  let rest = random() * weighted.reduce((sum, [, weight]) => sum + weight, 0)
  return weighted.find(([, weight]) => (rest -= weight) < 0) ?? weighted.at(-1)
}

function pick(weighted) {
  return pickEntry(weighted)[0]
}

function shuffled(items) {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    ;[items[last], items[other]] = [items[other], items[last]]
  }
  return items
}

/** A small generator of numbers in [0, 1) that is the same on every machine (Tommy Ettinger's mulberry32). */
function mulberry32(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
