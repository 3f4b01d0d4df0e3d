//! Row level security of one table, written the same way for every table.
//!
//! Whoever adds a table says who may see and write its rows; what is not said is denied. Every condition that
//! reads a setting is wrapped in `(select ...)`, so that PostgreSQL evaluates it once a statement, not once a row.

use std::fmt::Write as _;

/// How the rows of a table are tied to their tenant.
enum Tenancy {
    /// The column that must equal the organization of the transaction.
    Column(&'static str),
    /// The table belongs to no tenant (users, their sessions, the program's own keys).
    None,
}

/// The fence of one table: `up()` gives the SQL that forces row level security and grants exactly what was said.
pub struct Fence {
    table: &'static str,
    tenancy: Tenancy,
    sql: String,
}

impl Fence {
    /// A table whose rows belong to the organization in `org_id`.
    pub fn tenant(table: &'static str) -> Self {
        Self::new(table, Tenancy::Column("org_id"))
    }

    /// The table of organizations itself: the key is the tenant.
    pub fn organization(table: &'static str) -> Self {
        Self::new(table, Tenancy::Column("id"))
    }

    /// A table outside all tenants; only `es_system` and the policies said here reach it.
    pub fn global(table: &'static str) -> Self {
        Self::new(table, Tenancy::None)
    }

    fn new(table: &'static str, tenancy: Tenancy) -> Self {
        let mut fence = Self {
            table,
            tenancy,
            sql: String::new(),
        };
        let t = table;
        fence.line(&format!("alter table {t} enable row level security"));
        fence.line(&format!("alter table {t} force row level security"));
        // Backfills run as the owner, and under FORCE an owner without a policy sees nothing.
        fence.line(&format!(
            "create policy owner_all on {t} to es_owner using (true) with check (true)"
        ));
        fence.line(&format!(
            "create policy system_all on {t} to es_system using (true) with check (true)"
        ));
        fence.line(&format!(
            "grant select, insert, update, delete on {t} to es_system"
        ));
        fence
    }

    /// `es_verbs` (the owner of the security definer verbs) may do this inside the organization of the transaction.
    pub fn verbs(mut self, privileges: &str) -> Self {
        let tenant = self.tenant_condition();
        let t = self.table;
        self.line(&format!(
            "create policy verbs_own_org on {t} to es_verbs using ({tenant}) with check ({tenant})"
        ));
        self.line(&format!("grant {privileges} on {t} to es_verbs"));
        self
    }

    /// Members who hold the permission read the rows of their organization.
    pub fn member_reads(mut self, permission: &str) -> Self {
        let tenant = self.tenant_condition();
        let t = self.table;
        self.line(&format!(
            "create policy member_reads on {t} for select to es_member \
             using ({tenant} and (select es.has_permission('{permission}')))"
        ));
        self.line(&format!("grant select on {t} to es_member"));
        self
    }

    /// Members who hold the permission create rows with these columns (and then may delete), and change these
    /// columns. Without columns to insert there is neither create nor delete, without columns to update no update.
    pub fn member_writes(mut self, permission: &str, insert: &str, update: &str) -> Self {
        let tenant = self.tenant_condition();
        let t = self.table;
        let condition = format!("{tenant} and (select es.has_permission('{permission}'))");
        if !insert.is_empty() {
            self.line(&format!(
                "create policy member_inserts on {t} for insert to es_member with check ({condition})"
            ));
            self.line(&format!(
                "create policy member_deletes on {t} for delete to es_member using ({condition})"
            ));
            self.line(&format!(
                "grant insert ({insert}), delete on {t} to es_member"
            ));
        }
        if !update.is_empty() {
            self.line(&format!(
                "create policy member_updates on {t} for update to es_member \
                 using ({condition}) with check ({condition})"
            ));
            self.line(&format!("grant update ({update}) on {t} to es_member"));
        }
        self
    }

    /// Anonymous visitors, and signed-in people who act in no organization, see the rows that meet the condition.
    pub fn visitors_see(mut self, condition: &str) -> Self {
        let t = self.table;
        self.line(&format!(
            "create policy visitors_see on {t} for select to es_public, es_attendee using ({condition})"
        ));
        self.line(&format!("grant select on {t} to es_public, es_attendee"));
        self
    }

    /// People who act for themselves (by user or by guest secret) see, beyond that, the rows that meet the condition.
    pub fn attendees_see(mut self, condition: &str) -> Self {
        let t = self.table;
        self.line(&format!(
            "create policy attendees_see on {t} for select to es_attendee using ({condition})"
        ));
        self.line(&format!("grant select on {t} to es_attendee"));
        self
    }

    /// Any other policy of this table, whole.
    pub fn also(mut self, statement: &str) -> Self {
        self.line(statement);
        self
    }

    /// Keeps `updated_at` true.
    pub fn touched(mut self) -> Self {
        let t = self.table;
        self.line(&format!(
            "create trigger touch before update on {t} for each row execute function es.touch()"
        ));
        self
    }

    /// The statements, in order.
    pub fn up(self) -> String {
        self.sql
    }

    fn tenant_condition(&self) -> String {
        match self.tenancy {
            Tenancy::Column(column) => format!("{column} = (select es.current_org())"),
            Tenancy::None => "true".to_owned(),
        }
    }

    fn line(&mut self, statement: &str) {
        // Writing to a String does not fail.
        let _ = writeln!(self.sql, "{statement};");
    }
}
