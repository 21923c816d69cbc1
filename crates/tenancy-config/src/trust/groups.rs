//! Who is in a group, as far as `/etc/passwd` and `/etc/group` say.

use std::fs;

/// Whether it is known that a group has no members but these users.
pub(super) fn has_only(group: u32, users: &[u32]) -> bool {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    members_are(&read("/etc/passwd"), &read("/etc/group"), group, users)
}

/// If no user has a group as their own, nothing is known about it: other kinds of directories may hold its members.
fn members_are(passwd: &str, groups: &str, group: u32, users: &[u32]) -> bool {
    let accounts: Vec<(&str, u32, u32)> = passwd.lines().filter_map(account).collect();
    let owners = accounts.iter().filter(|(_, _, own)| *own == group).map(|(_, user, _)| *user);
    let listed = groups.lines().filter_map(|line| members(line, group)).flatten();
    let number = |name: &str| accounts.iter().find(|(known, ..)| *known == name).map(|(_, user, _)| *user);
    let is_user = |user: &u32| users.contains(user);
    owners.clone().count() > 0
        && owners.clone().all(|user| is_user(&user))
        && listed.into_iter().all(|name| number(name).as_ref().is_some_and(is_user))
}

/// The name, number and group of a user.
fn account(line: &str) -> Option<(&str, u32, u32)> {
    let mut fields = line.split(':');
    let (name, user, group) = (fields.next()?, fields.nth(1)?, fields.next()?);
    Some((name, user.parse().ok()?, group.parse().ok()?))
}

/// The members that a line of `/etc/group` lists, if the line is about this group.
fn members(line: &str, group: u32) -> Option<Vec<&str>> {
    let mut fields = line.split(':');
    let (number, names) = (fields.nth(2)?, fields.next()?);
    (number.parse() == Ok(group)).then(|| names.split(',').filter(|name| !name.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::members_are;

    const PASSWD: &str = "root:x:0:0::/root:/bin/sh\nana:x:1000:1000::/:/bin/sh\nben:x:1001:1001::/:/bin/sh\n";
    const GROUPS: &str = "root:x:0:\nana:x:1000:\nben:x:1001:ana\nteam:x:50:ana,ben\n";

    #[test]
    fn a_users_own_group_is_that_users_alone_until_somebody_else_is_in_it() {
        assert!(members_are(PASSWD, GROUPS, 1000, &[0, 1000]));
        assert!(!members_are(PASSWD, GROUPS, 1001, &[0, 1001]), "ana is in it as well");
        assert!(!members_are(&format!("{PASSWD}eve:x:1002:1000::/:/bin/sh"), GROUPS, 1000, &[0, 1000]));
    }

    #[test]
    fn a_group_that_is_nobodys_own_may_have_members_that_no_file_lists() {
        assert!(!members_are(PASSWD, GROUPS, 50, &[0, 1000, 1001]));
        assert!(!members_are("", "", 20, &[0, 501]));
    }
}
