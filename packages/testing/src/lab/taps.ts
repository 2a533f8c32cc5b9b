/**
 * Makes TAP devices in its own network namespace and becomes the program that it is given, with the devices'
 * descriptors as last arguments: Node cannot make them itself, and perl is part of every Debian. It holds a
 * lock for as long as that program runs, so that labs do not get into each other's way.
 */
const openTaps = String.raw`
  use strict; use Fcntl qw(:flock);
  my ($path, $count) = splice @ARGV, 0, 2;
  $^F = 65535;
  open(my $lock, '+>>', $path) or die "cannot open $path: $!\n";
  unless (flock($lock, LOCK_EX | LOCK_NB)) {
    seek $lock, 0, 0;
    printf STDERR "waits for the lab of process %s\n", scalar(<$lock>) // '?';
    flock($lock, LOCK_EX) or die "cannot lock $path: $!\n";
  }
  truncate $lock, 0; syswrite $lock, $$;
  my @taps;
  for my $index (0 .. $count - 1) {
    open(my $tap, '+<', '/dev/net/tun') or die "cannot open /dev/net/tun: $!\n";
    # TUNSETIFF with IFF_TAP | IFF_NO_PI
    ioctl($tap, 0x400454ca, pack('a16 s x22', "tap$index", 0x1002)) or die "cannot make a TAP device: $!\n";
    push @taps, $tap;
  }
  exec(@ARGV, map { fileno($_) } @taps) or die "cannot start $ARGV[0]: $!\n";
`;

/** What a program is started through to be given `count` TAP devices, called `tap0` and so on. */
export function throughTaps(count: number, lockPath: string): readonly string[] {
  return ['perl', '-e', openTaps, lockPath, String(count)];
}
