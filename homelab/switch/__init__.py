"""The rack's switch: Eth-Trunks as the site says, changed only on proof (docs/switch.md)."""
