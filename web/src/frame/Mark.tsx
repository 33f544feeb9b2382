/** The sign of Boathouse: a roof over water. */
export const Mark = ({ size = 24 }: { size?: number }) => (
  <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden>
    <rect width="32" height="32" rx="8" fill="var(--accent)" />
    <g fill="none" stroke="var(--on-accent)" strokeWidth="2.4" strokeLinecap="round" strokeLinejoin="round">
      <path d="M7 15.500 16 8l9 7.500" />
      <path d="M7 20c2.300 0 2.300 1.600 4.500 1.600S13.700 20 16 20s2.300 1.600 4.500 1.600S22.700 20 25 20" />
      <path d="M10.500 25.200c1.800 0 1.800-1.300 3.700-1.300s1.800 1.300 3.600 1.300 1.900-1.300 3.700-1.300" />
    </g>
  </svg>
)
